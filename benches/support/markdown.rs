//! Tables in Markdown, and their place in a file.

use std::path::Path;

use crate::Result;

/// Prints `text`, and puts it into a file between the two marks of `name` where a file is named.
pub fn show(text: &str, name: &str, into: Option<&Path>) -> Result {
    println!("{text}");
    let Some(path) = into else { return Ok(()) };
    let marks = ["begin", "end"].map(|end| format!("<!-- {name}: {end} -->"));
    let old = std::fs::read_to_string(path)?;
    let parts = old.split_once(&marks[0]).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(&marks[1])?;
        Some((before, after))
    });
    let Some((before, after)) = parts else {
        return Err(format!("{} has not the marks {marks:?}", path.display()).into());
    };
    let new = format!("{before}{}\n\n{text}\n{}{after}", marks[0], marks[1]);
    std::fs::write(path, new)?;
    Ok(())
}
