//! The one line that ECS Exec takes for a command, and how the command's own output and its exit code
//! are found in what comes back.
//!
//! The agent splits the line as a shell splits words, and expands nothing (`shlex` of Go, in
//! amazon-ssm-agent's `agent/session/shell/shell_unix.go`). The command gets a terminal whatever
//! happens, and nobody is told how it ended. So where this process's output is no terminal, a shell
//! runs the command with pipes and says itself where its output begins and ends.

/// Runs its arguments from the third on in the directory that the second names, if it does. The first
/// is the mark. Its own names are unlikely ones: what is set already in a container would change.
/// Ctrl-C is the command's alone.
const MARKED: &str = r#"seatbox_mark=$1 seatbox_dir=$2; shift 2
trap : INT QUIT
{ trap : INT QUIT
echo "$seatbox_mark begins"
( if [ -n "$seatbox_dir" ]; then cd "$seatbox_dir" || exit; fi; exec "$@" )
printf '%s ends %d\n' "$seatbox_mark" "$?"
} </dev/null 2>&1 | ( trap '' INT QUIT; exec cat )"#;

/// Runs its arguments from the second on in the directory that the first names.
const INSIDE: &str = r#"cd "$1" && shift && exec "$@""#;

/// The line for a command that has the terminal to itself.
pub fn attended(argv: &[String], directory: Option<&str>) -> String {
    match directory {
        None => join(argv.iter().map(String::as_str)),
        Some(directory) => {
            let shell = ["sh", "-c", INSIDE, "sh", directory];
            join(shell.into_iter().chain(argv.iter().map(String::as_str)))
        }
    }
}

/// The line for a command whose output is read by a program: with no input, and between marks.
pub fn marked(argv: &[String], directory: Option<&str>, mark: &str) -> String {
    let shell = [
        "sh",
        "-c",
        MARKED,
        "sh",
        mark,
        directory.unwrap_or_default(),
    ];
    join(shell.into_iter().chain(argv.iter().map(String::as_str)))
}

/// Words in single quotes, every one: the agent takes a carriage return for a blank, too, which
/// `shell_words` leaves as it is.
fn join<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = words
        .map(|word| format!("'{}'", word.replace('\'', r"'\''")))
        .collect();
    quoted.join(" ")
}

/// Finds a command's output and its exit code between marks, in pieces as they come.
#[derive(Debug)]
pub struct Marks {
    begin: Vec<u8>,
    end: Vec<u8>,
    /// What has come and is not told yet, as it was before the terminal.
    pending: Vec<u8>,
    /// Whether the last byte was a carriage return, which may be the terminal's.
    is_returned: bool,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Before,
    Within,
    After,
    Over(i64),
}

/// The most of what comes before the output that is kept, to be shown where there is none.
const LONGEST_WORDS: usize = 4096;

impl Marks {
    /// For output of [`marked`] with that mark.
    pub fn new(mark: &str) -> Self {
        Self {
            begin: format!("{mark} begins\n").into_bytes(),
            end: format!("{mark} ends ").into_bytes(),
            pending: Vec::new(),
            is_returned: false,
            state: State::Before,
        }
    }

    /// Takes a piece, and gives what of the command's own output is certain.
    pub fn take(&mut self, piece: &[u8]) -> Vec<u8> {
        self.undo_terminal(piece);
        let mut output = Vec::new();
        if self.state == State::Before {
            match find(&self.pending, &self.begin) {
                Some(at) => {
                    self.pending.drain(..at + self.begin.len());
                    self.state = State::Within;
                }
                None => {
                    let surplus = self.pending.len().saturating_sub(LONGEST_WORDS);
                    self.pending.drain(..surplus);
                }
            }
        }
        if self.state == State::Within {
            let at = find(&self.pending, &self.end);
            let certain = at.unwrap_or_else(|| self.pending.len() - self.begun_end());
            output.extend(self.pending.drain(..certain));
            if at.is_some() {
                self.pending.drain(..self.end.len());
                self.state = State::After;
            }
        }
        if self.state == State::After
            && let Some(at) = find(&self.pending, b"\n")
        {
            let code = std::str::from_utf8(&self.pending[..at]).ok();
            let code = code.and_then(|digits| digits.trim_end().parse().ok());
            self.state = State::Over(code.unwrap_or(1));
        }
        output
    }

    /// The exit code, once the command has ended.
    pub fn code(&self) -> Option<i64> {
        match self.state {
            State::Over(code) => Some(code),
            _ => None,
        }
    }

    /// What came instead of a command's output, on one line; nothing where the command began.
    pub fn words(&self) -> Option<String> {
        let is_before = self.state == State::Before;
        is_before.then(|| crate::provider::ssh::one_line(&self.pending))
    }

    /// A terminal puts a carriage return before each end of a line. One that was there before has a
    /// second one now.
    fn undo_terminal(&mut self, piece: &[u8]) {
        for &byte in piece {
            if self.is_returned && byte != b'\n' {
                self.pending.push(b'\r');
            }
            self.is_returned = byte == b'\r';
            if !self.is_returned {
                self.pending.push(byte);
            }
        }
    }

    /// How many bytes at the end of what is pending may be the beginning of the end.
    fn begun_end(&self) -> usize {
        let longest = self.end.len().min(self.pending.len());
        let is_begun = |length: &usize| self.pending.ends_with(&self.end[..*length]);
        (1..=longest).rev().find(is_begun).unwrap_or(0)
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    /// What comes of pieces, and the exit code.
    fn read(pieces: &[&[u8]]) -> (Vec<u8>, Option<i64>) {
        let mut marks = Marks::new("m");
        let output = pieces.iter().flat_map(|piece| marks.take(piece)).collect();
        (output, marks.code())
    }

    #[test]
    fn words_come_apart_as_they_were_put_together() {
        let argv = words(&[
            "echo",
            "",
            "two words",
            "it's",
            "\"$HOME\"",
            "#no",
            "a\\b",
            "a\rb\n",
            "广州",
            "*",
        ]);
        let line = attended(&argv, None);
        assert_eq!(shell_words::split(&line).unwrap(), argv);
        let inside = shell_words::split(&attended(&argv, Some("/my work"))).unwrap();
        assert_eq!(inside[..2], ["sh", "-c"]);
        assert_eq!(inside[4], "/my work");
        assert_eq!(inside[5..], argv);
        let between = shell_words::split(&marked(&argv, None, "m")).unwrap();
        assert_eq!(between[4..6], ["m", ""]);
        assert_eq!(between[6..], argv);
    }

    #[test]
    fn output_stands_between_marks_wherever_it_is_cut() {
        let whole: &[u8] =
            b"\nStarting session\r\nm begins\r\none\r\n\r\r\ntwo\r\r\nm ends 7\r\nBye";
        let expected = (b"one\n\r\ntwo\r\n".to_vec(), Some(7));
        assert_eq!(read(&[whole]), expected);
        for at in 0..whole.len() {
            let (left, right) = whole.split_at(at);
            assert_eq!(read(&[left, right]), expected, "cut at {at}");
        }
        let bytes: Vec<&[u8]> = whole.chunks(1).collect();
        assert_eq!(read(&bytes), expected);
    }

    #[test]
    fn output_without_an_end_of_its_last_line_has_none() {
        assert_eq!(
            read(&[b"m begins\r\nonem ends 0\r\n"]),
            (b"one".to_vec(), Some(0))
        );
        assert_eq!(read(&[b"m begins\r\nm ends 0\r\n"]), (Vec::new(), Some(0)));
    }

    #[test]
    fn what_only_begins_like_an_end_is_output() {
        let (output, code) = read(&[b"m begins\r\na\r\nm en", b"d\r\nb"]);
        assert_eq!((output, code), (b"a\nm end\nb".to_vec(), None));
    }

    #[test]
    fn a_line_is_told_when_it_has_come() {
        let mut marks = Marks::new("m");
        marks.take(b"m begins\r\n");
        assert_eq!(marks.take(b"one\r\n"), b"one\n");
    }

    #[test]
    fn a_session_that_never_began_says_why() {
        let mut marks = Marks::new("m");
        assert!(marks.take(b"\nStarting\r\n").is_empty());
        assert!(
            marks
                .take(b"Cannot perform start session: EOF\n")
                .is_empty()
        );
        assert_eq!(
            marks.words().unwrap(),
            "Starting; Cannot perform start session: EOF"
        );
        marks.take(b"m begins\n");
        assert_eq!(marks.words(), None);
    }
}
