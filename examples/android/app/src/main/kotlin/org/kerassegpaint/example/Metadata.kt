package org.kerassegpaint.example

import java.io.ByteArrayOutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.zip.Inflater

/**
 * Reads one entry of the ZIP archive behind a model.
 *
 * java.util.zip wants a file of its own that begins with the archive; the model is neither, so the archive's directory is
 * read here.
 *
 * @param file The model with what follows it.
 * @param name The entry's name.
 * @return Its content, null if there is no archive or no such entry.
 */
fun readEntry(file: ByteBuffer, name: String): ByteArray? {
    val bytes = file.duplicate().order(ByteOrder.LITTLE_ENDIAN)
    // The record that ends an archive has 22 bytes and a comment of at most 65,535.
    val earliest = maxOf(0, bytes.limit() - END_SIZE - 0xFFFF)
    val end = (bytes.limit() - END_SIZE downTo earliest).firstOrNull { bytes.getInt(it) == END } ?: return null
    var entry = bytes.getInt(end + 16)
    repeat(bytes.unsigned(end + 10)) {
        if (entry < 0 || entry + ENTRY_SIZE > end || bytes.getInt(entry) != ENTRY) return null
        val nameSize = bytes.unsigned(entry + 28)
        if (String(bytes.read(entry + ENTRY_SIZE, nameSize)) == name) {
            val local = bytes.getInt(entry + 42)
            val start = local + LOCAL_SIZE + bytes.unsigned(local + 26) + bytes.unsigned(local + 28)
            val packed = bytes.read(start, bytes.getInt(entry + 20))
            return if (bytes.unsigned(entry + 10) == STORED) packed else inflate(packed)
        }
        entry += ENTRY_SIZE + nameSize + bytes.unsigned(entry + 30) + bytes.unsigned(entry + 32)
    }
    return null
}

private fun ByteBuffer.unsigned(position: Int): Int = getShort(position).toInt() and 0xFFFF

private fun ByteBuffer.read(position: Int, size: Int): ByteArray {
    val part = ByteArray(size)
    val reader = duplicate()
    reader.position(position)
    reader.get(part)
    return part
}

private fun inflate(packed: ByteArray): ByteArray {
    val inflater = Inflater(true)
    inflater.setInput(packed)
    val output = ByteArrayOutputStream()
    val block = ByteArray(4096)
    while (!inflater.finished()) {
        val count = inflater.inflate(block)
        if (count == 0) break
        output.write(block, 0, count)
    }
    inflater.end()
    return output.toByteArray()
}

private const val END = 0x06054b50
private const val END_SIZE = 22
private const val ENTRY = 0x02014b50
private const val ENTRY_SIZE = 46
private const val LOCAL_SIZE = 30
private const val STORED = 0
