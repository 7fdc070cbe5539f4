//! Between the engine's streams and code that reads and writes in a thread of its own.

use std::io::{self, Read, Write};

use bytes::{Buf as _, Bytes};
use futures_util::{Stream, StreamExt as _, stream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How many parts may wait: enough that neither side waits for the other all the time.
const WAITING: usize = 16;
/// How many bytes a part has that is written.
const PART: usize = 256 << 10;

type Part = io::Result<Bytes>;

/// Reads what comes from a stream. It ends early when `cancel` is cancelled, with an error.
pub struct StreamReader {
    receiver: mpsc::Receiver<Part>,
    current: Bytes,
}

impl StreamReader {
    /// A reader, and where its parts go.
    pub fn new() -> (mpsc::Sender<Part>, Self) {
        let (sender, receiver) = mpsc::channel(WAITING);
        let reader = Self {
            receiver,
            current: Bytes::new(),
        };
        (sender, reader)
    }
}

/// Sends a stream's parts on, until its end or until nobody wants them any more.
pub async fn forward(
    mut parts: impl Stream<Item = Part> + Unpin,
    sender: mpsc::Sender<Part>,
    cancel: CancellationToken,
) {
    loop {
        let part = tokio::select! {
            part = parts.next() => part,
            () = cancel.cancelled() => Some(Err(interrupted())),
        };
        let Some(part) = part else { return };
        let last = part.is_err();
        if sender.send(part).await.is_err() || last {
            return;
        }
    }
}

/// Not of the kind `Interrupted`, which readers take for a call to be made again.
fn interrupted() -> io::Error {
    io::Error::other("interrupted")
}

impl Read for StreamReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                Some(part) => self.current = part?,
                None => return Ok(0),
            }
        }
        let count = into.len().min(self.current.len());
        self.current.copy_to_slice(&mut into[..count]);
        Ok(count)
    }
}

/// Writes parts of a stream. What was not followed by [`StreamWriter::finish`] ends the stream with
/// an error, so that nobody takes a half for the whole.
pub struct StreamWriter {
    sender: mpsc::Sender<Part>,
    part: Vec<u8>,
    finished: bool,
}

impl StreamWriter {
    /// A writer, and the stream of what is written.
    pub fn new() -> (Self, impl Stream<Item = Part> + Send + 'static) {
        let (sender, receiver) = mpsc::channel(WAITING);
        let writer = Self {
            sender,
            part: Vec::with_capacity(PART),
            finished: false,
        };
        let parts = stream::unfold(receiver, async |mut receiver| {
            receiver.recv().await.map(|part| (part, receiver))
        });
        (writer, Box::pin(parts))
    }

    fn send(&mut self) -> io::Result<()> {
        if self.part.is_empty() {
            return Ok(());
        }
        let part = std::mem::replace(&mut self.part, Vec::with_capacity(PART));
        self.sender
            .blocking_send(Ok(part.into()))
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// Ends the stream.
    pub fn finish(mut self) -> io::Result<()> {
        self.send()?;
        self.finished = true;
        Ok(())
    }
}

impl Write for StreamWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(PART - self.part.len());
        self.part.extend_from_slice(&bytes[..count]);
        if self.part.len() == PART {
            self.send()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }
}

impl Drop for StreamWriter {
    fn drop(&mut self) {
        if !self.finished {
            let _ = self.sender.blocking_send(Err(interrupted()));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt as _;

    use super::*;

    async fn written(work: impl FnOnce(StreamWriter) + Send + 'static) -> io::Result<usize> {
        let (writer, parts) = StreamWriter::new();
        let writing = tokio::task::spawn_blocking(move || work(writer));
        let parts: io::Result<Vec<Bytes>> = parts.try_collect().await;
        writing.await.unwrap();
        parts.map(|parts| parts.iter().map(Bytes::len).sum())
    }

    #[tokio::test]
    async fn only_what_was_written_to_its_end_has_an_end() {
        let bytes = 3 * PART + 7;
        let whole = written(move |mut writer| {
            writer.write_all(&vec![1; bytes]).unwrap();
            writer.finish().unwrap();
        });
        assert_eq!(whole.await.unwrap(), bytes);
        let half = written(move |mut writer| writer.write_all(&vec![1; bytes]).unwrap());
        half.await.unwrap_err();
    }

    #[tokio::test]
    async fn a_stream_is_read_to_its_end_or_until_it_is_cancelled() {
        let read = async |parts: Vec<Part>, cancel: bool| {
            let (sender, mut reader) = StreamReader::new();
            let token = CancellationToken::new();
            let endless = stream::iter(parts);
            let reading = tokio::task::spawn_blocking(move || {
                let mut all = Vec::new();
                reader.read_to_end(&mut all).map(|_| all)
            });
            if cancel {
                token.cancel();
                forward(endless.chain(stream::pending()), sender, token).await;
            } else {
                forward(endless, sender, token).await;
            }
            reading.await.unwrap()
        };
        let part = |text: &'static str| Ok(Bytes::from_static(text.as_bytes()));
        let parts = vec![part("ab"), part(""), part("c")];
        assert_eq!(read(parts, false).await.unwrap(), b"abc");
        let broken = vec![part("ab"), Err(io::Error::other("no"))];
        read(broken, false).await.unwrap_err();
        read(Vec::new(), true).await.unwrap_err();
    }
}
