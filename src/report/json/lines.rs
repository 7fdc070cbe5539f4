//! Progress as JSON lines.

use std::io::Write;
use std::time::Instant;

use jiff::Timestamp;

use super::v1::EventLine;
use crate::engine::Event;
use crate::report::Reporter;

/// One JSON document a line for each event.
#[derive(Debug)]
pub struct JsonLines<W> {
    out: W,
}

impl<W: Write + Send> JsonLines<W> {
    /// Writes to `out`. Nothing is done about it when that fails: whoever closed it does not want
    /// to know.
    pub fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write + Send> Reporter for JsonLines<W> {
    fn on(&mut self, event: &Event, _now: Instant) {
        let line = EventLine::new(event, Timestamp::now());
        let text = serde_json::to_string(&line).expect("an event line is plain data");
        let _ = writeln!(self.out, "{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_is_one_line() {
        let mut out = Vec::new();
        let mut lines = JsonLines::new(&mut out);
        for message in ["one\nand a half", "two"] {
            let message = message.to_owned();
            lines.on(&Event::Notice { message }, Instant::now());
        }
        let text = String::from_utf8(out).unwrap();
        let messages: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["message"].clone())
            .collect();
        assert_eq!(messages, ["one\nand a half", "two"]);
    }
}
