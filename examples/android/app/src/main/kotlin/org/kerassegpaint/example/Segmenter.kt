package org.kerassegpaint.example

import android.content.res.AssetManager
import android.graphics.Bitmap
import android.graphics.Color
import java.io.FileInputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.channels.FileChannel
import org.json.JSONObject
import org.tensorflow.lite.DataType
import org.tensorflow.lite.Interpreter

/** The file of `segpaint export` in the app's assets. */
const val MODEL = "model.tflite"
private const val METADATA = "segpaint.json"

/** A map of classes, row by row. */
class ClassMap(val width: Int, val height: Int, val classes: ByteArray) {

    /** How many of a hundred pixels each class has, the most frequent first. */
    fun shares(): List<Pair<Int, Int>> =
        classes.groupBy { it.toInt() and 0xFF }
            .map { (number, pixels) -> number to 100 * pixels.size / classes.size }
            .sortedByDescending { it.second }

    /** The classes in their colours. */
    fun draw(palette: IntArray): Bitmap {
        val pixels = IntArray(classes.size) { palette[classes[it].toInt() and 0xFF] }
        return Bitmap.createBitmap(pixels, width, height, Bitmap.Config.ARGB_8888)
    }
}

/**
 * A LiteRT file that takes a uint8 picture and gives a uint8 map of classes, as a function of a picture.
 *
 * Not to be used from two threads at once.
 *
 * @param assets Where the file is.
 * @param threads CPU threads.
 */
class Segmenter(assets: AssetManager, threads: Int = 4) : AutoCloseable {

    /** Names of the classes, empty if the file has none. */
    val labels: List<String>

    /** An ARGB colour for each of 256 classes. */
    val palette: IntArray

    private val interpreter: Interpreter
    private val inputWidth: Int
    private val inputHeight: Int
    private val outputWidth: Int
    private val outputHeight: Int
    private val pixels: IntArray
    private val input: ByteBuffer
    private val output: ByteBuffer

    init {
        val file = assets.openFd(MODEL).use { descriptor ->
            FileInputStream(descriptor.fileDescriptor).use { stream ->
                stream.channel.map(FileChannel.MapMode.READ_ONLY, descriptor.startOffset, descriptor.declaredLength)
            }
        }
        interpreter = Interpreter(file, Interpreter.Options().setNumThreads(threads))
        val taken = interpreter.getInputTensor(0)
        val given = interpreter.getOutputTensor(0)
        val shape = taken.shape()
        require(taken.dataType() == DataType.UINT8 && shape.size == 4 && shape[3] == 3) {
            "$MODEL must take a uint8 picture: export it with --input uint8. " +
                "It takes ${taken.dataType()} ${shape.contentToString()}."
        }
        val classes = given.shape()
        require(given.dataType() == DataType.UINT8 && (classes.size == 3 || (classes.size == 4 && classes[3] == 1))) {
            "$MODEL must give a uint8 map of classes: export it with --output classes. " +
                "It gives ${given.dataType()} ${classes.contentToString()}."
        }
        inputHeight = shape[1]
        inputWidth = shape[2]
        outputHeight = classes[1]
        outputWidth = classes[2]
        pixels = IntArray(inputWidth * inputHeight)
        input = ByteBuffer.allocateDirect(3 * pixels.size).order(ByteOrder.nativeOrder())
        output = ByteBuffer.allocateDirect(outputWidth * outputHeight).order(ByteOrder.nativeOrder())
        val metadata = readEntry(file, METADATA)?.let { JSONObject(String(it)) } ?: JSONObject()
        labels = metadata.optJSONArray("classes")?.let { names -> List(names.length()) { names.getString(it) } } ?: emptyList()
        palette = IntArray(256) { number ->
            // Steps of the golden ratio keep neighbouring classes apart.
            if (number == 0) Color.BLACK else Color.HSVToColor(floatArrayOf(number * 222.5f % 360f, 0.8f, 0.95f))
        }
        metadata.optJSONArray("palette")?.let { colors ->
            for (number in 0 until minOf(colors.length(), palette.size)) {
                val color = colors.getJSONArray(number)
                palette[number] = Color.rgb(color.getInt(0), color.getInt(1), color.getInt(2))
            }
        }
    }

    /** The class of each pixel of a picture, at the size that the file gives. */
    fun segment(picture: Bitmap): ClassMap {
        val scaled = Bitmap.createScaledBitmap(picture, inputWidth, inputHeight, true)
        scaled.getPixels(pixels, 0, inputWidth, 0, 0, inputWidth, inputHeight)
        input.rewind()
        for (pixel in pixels) {
            input.put((pixel shr 16).toByte())
            input.put((pixel shr 8).toByte())
            input.put(pixel.toByte())
        }
        input.rewind()
        output.rewind()
        interpreter.run(input, output)
        output.rewind()
        val classes = ByteArray(outputWidth * outputHeight)
        output.get(classes)
        return ClassMap(outputWidth, outputHeight, classes)
    }

    override fun close() = interpreter.close()
}
