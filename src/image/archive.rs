//! Loading an image that was made here: one new layer, alone or on top of layers that the engine has.

use std::io;
use std::path::Path;

use bollard::Docker as Client;
use bollard::query_parameters::ImportImageOptions;
use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt as _;
use tokio_util::io::ReaderStream;

use crate::engine::{Failure, FailureClass};
use crate::provider::docker::errors::failure;

/// A tar archive is made of blocks of so many bytes.
const BLOCK: usize = 512;

/// An image of which the last layer is new.
#[derive(Debug, Clone, Copy)]
pub struct Layered<'a> {
    /// The reference that it gets, if any.
    pub name: Option<&'a str>,
    /// The digests of the layers below, lowest first. The engine has them, as layers of an image.
    pub below: &'a [String],
    /// The new layer, a tar archive that is not compressed.
    pub layer: &'a Path,
}

impl Layered<'_> {
    /// Loads it into the engine, in the form that `docker save` writes; gives the image's id.
    /// `config` makes the image's configuration from the new layer's digest.
    ///
    /// # Errors
    ///
    /// The layer can't be read, or the engine does not take it.
    pub async fn load(
        &self,
        client: &Client,
        call: &str,
        config: impl FnOnce(&str) -> serde_json::Value,
    ) -> Result<String, Failure> {
        let unreadable = |error: io::Error| {
            let message = format!("can't read what was made: {error}");
            Failure::new(FailureClass::Broken, call, message)
        };
        let (digest, size) = digest(self.layer).await.map_err(unreadable)?;
        let config = config(&digest).to_string();
        let id = crate::hex(&Sha256::digest(&config));
        let config_name = format!("{id}.json");
        // An engine opens the archive of a layer only where it does not have that layer yet, and then
        // says that it misses it.
        let layer_names: Vec<String> = (0..=self.below.len())
            .map(|index| format!("{index}.tar"))
            .collect();
        let new = &layer_names[self.below.len()];
        let manifest = json!([{
            "Config": config_name,
            "RepoTags": self.name.map(|name| [name]),
            "Layers": layer_names,
        }]);
        let mut head = entry(&config_name, config.as_bytes());
        head.extend(entry("manifest.json", manifest.to_string().as_bytes()));
        head.extend(header(new, size));
        // What fills the layer's last block, and the two empty blocks at an archive's end.
        let fill = size.next_multiple_of(BLOCK as u64) - size;
        let tail = vec![0; usize::try_from(fill).unwrap_or(0) + 2 * BLOCK];
        let file = tokio::fs::File::open(self.layer)
            .await
            .map_err(unreadable)?;
        let archive = stream::iter([Ok(head.into())])
            .chain(ReaderStream::with_capacity(file, 1 << 20))
            .chain(stream::iter([Ok(tail.into())]));
        let mut steps = client.import_image_stream(ImportImageOptions::default(), archive, None);
        while let Some(step) = steps.next().await {
            step.map_err(|error| failure(call, &error))?;
        }
        Ok(format!("sha256:{id}"))
    }
}

/// One file of an archive, all of it in memory.
fn entry(name: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = header(name, content.len() as u64);
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

fn header(name: &str, size: u64) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header
        .set_path(name)
        .expect("the names of an image archive are short and relative");
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    header.as_bytes().to_vec()
}

/// The digest of a file as an image's configuration writes it, and its size.
async fn digest(path: &Path) -> io::Result<(String, u64)> {
    let mut file = tokio::fs::File::open(path).await?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut size = 0;
    loop {
        let read = file.read(&mut buffer).await?;
        if read == 0 {
            return Ok((format!("sha256:{}", crate::hex(&hash.finalize())), size));
        }
        hash.update(&buffer[..read]);
        size += read as u64;
    }
}
