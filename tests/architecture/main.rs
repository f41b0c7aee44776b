//! The map of the code names files that exist, and files stand in no circles.

mod circles;

use std::path::Path;

#[test]
fn every_file_that_the_map_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).expect("the map is readable");
    let named: Vec<&str> = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| {
            word.contains('/')
                && (Path::new(word).extension().is_some_and(|e| e == "rs") || word.ends_with('/'))
        })
        .collect();
    assert!(
        named.len() > 20,
        "only {} names found: the map's form has changed",
        named.len()
    );
    let missing: Vec<&&str> = named
        .iter()
        .filter(|name| !root.join(name).exists())
        .collect();
    assert!(
        missing.is_empty(),
        "the map names what is not there: {missing:?}"
    );
}
