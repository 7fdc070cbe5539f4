//! This process's own terminal.

use std::io::{self, IsTerminal as _, Read as _};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::mpsc;

/// How many pieces of input wait at most for the engine to take them.
const QUEUE: usize = 16;

/// Whether both input and output are a terminal, so that a command can be given one.
pub fn is_one() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Columns and rows, where there is a terminal that says so.
pub fn size() -> Option<(u16, u16)> {
    crossterm::terminal::size()
        .ok()
        .filter(|(columns, rows)| *columns > 0 && *rows > 0)
}

/// The terminal passes every key on as it is, for as long as this value lives. Dropping it puts
/// the terminal back, also where that is because of a panic.
#[derive(Debug)]
pub struct RawMode(());

impl RawMode {
    /// Enters the mode.
    ///
    /// # Errors
    /// Where this process's input is no terminal.
    pub fn enter() -> io::Result<Self> {
        crossterm::terminal::enable_raw_mode()?;
        Ok(Self(()))
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // Nobody is left who could be told of an error.
        let _ = crossterm::terminal::disable_raw_mode();
    }
}

/// The terminal as it is now, if there is one: dropping this value puts it back so, whatever a program
/// has made of it meanwhile.
#[derive(Debug)]
pub struct Kept(Option<Termios>);

impl Kept {
    /// How it is now.
    pub fn now() -> Self {
        Self(tcgetattr(io::stdin()).ok())
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(attributes) = &self.0 {
            // Nobody is left who could be told of an error.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, attributes);
        }
    }
}

/// How many bytes of this process's input wait to be read, as far as is known, where that is a pipe or a
/// file. What was typed ahead is for whoever reads next.
pub fn waiting_input() -> u64 {
    let input = io::stdin();
    if input.is_terminal() {
        return 0;
    }
    rustix::io::ioctl_fionread(input).unwrap_or(0)
}

/// This process's input, piece by piece, until its end.
///
/// A thread of its own reads it: one of the runtime's would keep the program from ending until
/// the next key. For the same reason, the key that is pressed after the receiver is dropped may be
/// lost, so this is for the last thing that a program does with its input.
pub fn input() -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    std::thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        let mut buffer = [0; 8192];
        loop {
            match stdin.read(&mut buffer) {
                Ok(count @ 1..) => {
                    if sender.blocking_send(buffer[..count].to_vec()).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => return,
            }
        }
    });
    receiver
}
