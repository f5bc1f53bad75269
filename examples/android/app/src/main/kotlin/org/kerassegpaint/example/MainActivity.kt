package org.kerassegpaint.example

import android.app.Activity
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.ImageDecoder
import android.graphics.Paint
import android.graphics.Rect
import android.net.Uri
import android.os.Bundle
import android.os.SystemClock
import android.widget.Button
import android.widget.ImageView
import android.widget.TextView
import java.io.FileNotFoundException
import java.util.concurrent.Executors

/** Lets the user choose a picture and shows it with the colours of its classes over it. */
class MainActivity : Activity() {

    // One thread: the interpreter stays on it, and the screen stays free.
    private val worker = Executors.newSingleThreadExecutor()
    private var segmenter: Segmenter? = null

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.main)
        findViewById<Button>(R.id.choose).setOnClickListener {
            val intent = Intent(Intent.ACTION_GET_CONTENT).setType("image/*").addCategory(Intent.CATEGORY_OPENABLE)
            startActivityForResult(intent, CHOOSE)
        }
    }

    override fun onDestroy() {
        worker.execute { segmenter?.close() }
        worker.shutdown()
        super.onDestroy()
    }

    override fun onActivityResult(requestCode: Int, resultCode: Int, data: Intent?) {
        super.onActivityResult(requestCode, resultCode, data)
        val chosen = data?.data
        if (requestCode == CHOOSE && resultCode == RESULT_OK && chosen != null) worker.execute { show(chosen) }
    }

    private fun show(chosen: Uri) {
        try {
            val network = segmenter ?: Segmenter(assets).also { segmenter = it }
            val picture = read(chosen)
            val start = SystemClock.elapsedRealtime()
            val found = network.segment(picture)
            val milliseconds = SystemClock.elapsedRealtime() - start
            val drawn = overlay(picture, found.draw(network.palette))
            val shares = found.shares().joinToString { (number, share) ->
                getString(R.string.share, network.labels.getOrElse(number) { "$number" }, share)
            }
            report(getString(R.string.result, picture.width, picture.height, milliseconds, shares), drawn)
        } catch (error: FileNotFoundException) {
            report(if (segmenter == null) getString(R.string.no_model, MODEL) else getString(R.string.failed, error.message))
        } catch (error: Exception) {
            report(getString(R.string.failed, error.message))
        }
    }

    /** Decodes a picture upright, no larger than a screen shows. */
    private fun read(chosen: Uri): Bitmap =
        ImageDecoder.decodeBitmap(ImageDecoder.createSource(contentResolver, chosen)) { decoder, info, _ ->
            // Pixels of a hardware bitmap cannot be read.
            decoder.allocator = ImageDecoder.ALLOCATOR_SOFTWARE
            decoder.setTargetSampleSize(maxOf(1, maxOf(info.size.width, info.size.height) / LARGEST))
        }

    private fun overlay(picture: Bitmap, classes: Bitmap): Bitmap {
        val drawn = picture.copy(Bitmap.Config.ARGB_8888, true)
        val paint = Paint().apply {
            alpha = OPACITY
            // Between two classes there is no third.
            isFilterBitmap = false
        }
        Canvas(drawn).drawBitmap(classes, null, Rect(0, 0, drawn.width, drawn.height), paint)
        return drawn
    }

    private fun report(text: String, picture: Bitmap? = null) = runOnUiThread {
        findViewById<TextView>(R.id.result).text = text
        if (picture != null) findViewById<ImageView>(R.id.picture).setImageBitmap(picture)
    }

    private companion object {
        const val CHOOSE = 1
        const val LARGEST = 1600
        const val OPACITY = 128
    }
}
