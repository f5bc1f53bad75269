plugins {
    id("com.android.application")
    id("org.jetbrains.kotlin.android")
}

android {
    namespace = "org.kerassegpaint.example"
    compileSdk = 35

    defaultConfig {
        applicationId = "org.kerassegpaint.example"
        // ImageDecoder, which turns a photograph upright, is there from 28 on.
        minSdk = 28
        targetSdk = 35
        versionCode = 1
        versionName = "1.0"
    }

    // The file is mapped into memory as it lies in the package.
    androidResources {
        noCompress += "tflite"
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }

    kotlinOptions {
        jvmTarget = "17"
    }
}

dependencies {
    // The last line of LiteRT with the Interpreter; 2.x has CompiledModel in its place.
    implementation("com.google.ai.edge.litert:litert:1.4.1")
}
