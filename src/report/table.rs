//! Tables: one style everywhere, without borders, so that what is read by a person can be cut and
//! searched by line as well. On a terminal long cells are wrapped at its width; elsewhere each row
//! is one line.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;

use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, TableStyle, presets};

use super::view::{ImageFrom, ImageView, PortView, SeatView, ServiceView};
use super::words;
use crate::engine::{Outcome, SeatResult};
use crate::model::seat::SeatState;
use crate::model::stack::Protocol;

/// What a table is drawn on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Canvas {
    /// Whether colour may be used.
    pub colour: bool,
    /// How many columns it has, where it is a terminal.
    pub width: Option<u16>,
}

impl Canvas {
    /// Standard output.
    pub fn stdout() -> Self {
        if !std::io::stdout().is_terminal() {
            return Self::default();
        }
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            colour: !no_color && !dumb,
            width: crossterm::terminal::size().ok().map(|(width, _)| width),
        }
    }

    fn table(self, header: &[&str], rows: Vec<Vec<Cell>>) -> String {
        const BORDERLESS: TableStyle = presets::NOTHING;
        let mut table = Table::new();
        table.load_style(BORDERLESS).force_no_tty();
        if self.colour {
            table.enforce_styling();
        }
        if let Some(width) = self.width {
            table
                .set_width(width)
                .set_content_arrangement(ContentArrangement::Dynamic);
        } else {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        table.set_header(
            header
                .iter()
                .map(|title| Cell::new(title).add_attribute(Attribute::Bold)),
        );
        table.add_rows(rows);
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        let mut text = table.trim_fmt();
        text.push('\n');
        text
    }
}

/// The seats after an `up` or a `reset`: seat, group, state, address, ports, how long it took; and
/// below, why the failed ones failed.
pub fn seats(seats: &[SeatView], outcome: &Outcome, canvas: Canvas) -> String {
    let rows = seats
        .iter()
        .map(|view| {
            let result = outcome.seats.get(&view.seat);
            let failed = matches!(result.map(|seat| &seat.result), Some(SeatResult::Failed(_)));
            let took = result
                .filter(|seat| seat.result != SeatResult::Unchanged)
                .map(|seat| seat.took)
                .or(view.took);
            vec![
                Cell::new(view.seat),
                Cell::new(view.group),
                if failed {
                    red("failed")
                } else {
                    state(view.state)
                },
                Cell::new(
                    view.address
                        .map_or("-".to_owned(), |address| address.to_string()),
                ),
                Cell::new(ports(&view.ports)),
                Cell::new(took.map_or("-".to_owned(), words::duration)),
            ]
        })
        .collect();
    let mut text = canvas.table(
        &["SEAT", "GROUP", "STATE", "ADDRESS", "PORTS", "TOOK"],
        rows,
    );
    for (seat, failure) in outcome.failed() {
        text.push_str(&format!("{seat} failed: {}\n", words::failure(failure)));
    }
    text
}

/// The seats as they are: seat, group, state, services, ports, and what is the matter.
pub fn status(seats: &[SeatView], canvas: Canvas) -> String {
    let rows = seats
        .iter()
        .map(|view| {
            vec![
                Cell::new(view.seat),
                Cell::new(view.group),
                state(view.state),
                Cell::new(services(&view.services)),
                Cell::new(ports(&view.ports)),
                Cell::new(problems(&view.services)),
            ]
        })
        .collect();
    canvas.table(
        &["SEAT", "GROUP", "STATE", "SERVICES", "PORTS", "PROBLEM"],
        rows,
    )
}

/// The images of a stack: what it names, where it comes from, what containers run, what is done to
/// get it; and below, why one is nowhere or another one than named.
pub fn images(images: &[ImageView], canvas: Canvas) -> String {
    let rows = images
        .iter()
        .map(|image| {
            let from = match image.from {
                ImageFrom::Engine => Cell::new("engine"),
                ImageFrom::Registry => Cell::new("registry"),
                ImageFrom::Recipe => Cell::new("recipe"),
                ImageFrom::Bundle => Cell::new("bundle"),
                ImageFrom::Nowhere => red("nowhere"),
            };
            vec![
                Cell::new(&image.image),
                from,
                Cell::new(&image.reference),
                Cell::new(&image.verb),
            ]
        })
        .collect();
    let mut text = canvas.table(&["IMAGE", "FROM", "RUNS", "ACTION"], rows);
    for image in images {
        for reason in &image.reasons {
            text.push_str(&format!("{}: {}\n", image.image, words::one_line(reason)));
        }
    }
    text
}

fn red(text: &str) -> Cell {
    Cell::new(text).fg(Color::Red)
}

fn state(state: SeatState) -> Cell {
    let colour = match state {
        SeatState::Ready => Color::Green,
        SeatState::Starting => Color::Yellow,
        SeatState::Degraded => Color::Red,
        SeatState::Absent => Color::DarkGrey,
    };
    Cell::new(state).fg(colour)
}

/// `postgres 5432→127.0.0.1:20001, dns 53/udp→127.0.0.1:20002`
fn ports(ports: &[PortView]) -> String {
    if ports.is_empty() {
        return "-".to_owned();
    }
    let words: Vec<String> = ports
        .iter()
        .map(|port| {
            let protocol = match port.port.protocol {
                Protocol::Tcp => String::new(),
                Protocol::Udp => format!("/{}", port.port.protocol.as_str()),
            };
            let host = std::net::SocketAddr::new(port.address, port.host_port);
            format!("{} {}{protocol}→{host}", port.service, port.port.number)
        })
        .collect();
    words.join(", ")
}

/// How many services are in each state: `2 running, 1 exited`.
fn services(services: &[ServiceView]) -> String {
    if services.is_empty() {
        return "-".to_owned();
    }
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    for service in services {
        *states.entry(&service.state).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = states.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let words: Vec<String> = counts
        .iter()
        .map(|(state, count)| format!("{count} {}", words::one_line(state)))
        .collect();
    words.join(", ")
}

fn problems(services: &[ServiceView]) -> String {
    let words: Vec<String> = services
        .iter()
        .filter_map(|service| {
            let problem = service.problem.as_ref()?;
            Some(format!("{}: {}", service.service, words::one_line(problem)))
        })
        .collect();
    if words.is_empty() {
        return "-".to_owned();
    }
    words.join("; ")
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
