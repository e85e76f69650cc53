plugins {
    kotlin("jvm") version "1.2.3"
}
group = "org.acme"; version = "1.2.3"
subprojects { version = "1.2.3" }
tasks.wrapper {
    version = "1.2.3"
}
