//! The dashboard's build is embedded: compile again when its files change.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Always there: `.keep` is committed, and the build of the dashboard copies it back.
    println!("cargo:rerun-if-changed=../../web/dist");
}
