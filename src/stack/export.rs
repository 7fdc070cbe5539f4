//! Writing one seat's stack as a Compose file and an env file that plain `docker compose` runs.

use std::cell::RefCell;
use std::fmt::Display;
use std::path::PathBuf;

use indexmap::IndexMap;

use super::dotenv::write_line;
use super::emit::Yaml;
use super::units::{write_cpus, write_duration};
use super::{harden, service_attributes as attributes};
use crate::model::stack::{ContainerPort, FileContent, InjectedFile};
use crate::model::text::Segment;
use crate::model::{Environment, SeatNumber, SeatValues, SeatVariable, Service, ServiceName, Text};

/// The host port that was planned for a published port of a seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortAssignment {
    /// The service that publishes it.
    pub service: ServiceName,
    /// The container's port.
    pub target: ContainerPort,
    /// The host's.
    pub host: u16,
}

/// One seat's stack, to be written to a directory.
pub struct Export {
    /// `compose.yaml`. It names secrets and holds none, but for what the stack file itself has.
    pub compose: String,
    /// The env file with the seat's values. It is secret: mode 0600.
    pub environment: String,
    /// Files that the Compose file refers to.
    pub files: Vec<ExportedFile>,
}

/// A file beside an exported Compose file.
pub struct ExportedFile {
    /// Where, from the directory of the Compose file.
    pub path: PathBuf,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Its permission bits in the container, which plain Compose takes from this file.
    pub mode: u32,
    /// Its owner's number and its group's there, likewise.
    pub owner: (u64, u64),
}

/// Writes the stack of `seat`, with everything that Seatbox adds to it. Reading the result gives
/// the hardened stack again, its ports fixed to those of `ports`.
pub fn export(
    environment: &Environment,
    seat: SeatNumber,
    ports: &[PortAssignment],
    values: &dyn SeatValues,
) -> Export {
    let stack = harden::stack(
        &environment.stack,
        &environment.limits,
        &environment.isolation,
    );
    let name = format!("{}-{seat}", environment.name);
    let writer = Writer {
        ports,
        address: environment.docker.ports.address,
        used: RefCell::default(),
        configs: RefCell::default(),
        files: RefCell::default(),
    };
    let services = stack.services.values();
    let services = services
        .map(|service| (service.name.to_string(), writer.service(service)))
        .collect();
    let networks = stack.networks.iter().map(|(name, network)| {
        let mut map = Pairs::default();
        map.flag("internal", network.internal);
        map.put("labels", writer.texts(&network.labels));
        (name.clone(), map.done())
    });
    let volumes = stack.volumes.iter().map(|(name, volume)| {
        let mut map = Pairs::default();
        map.put("labels", writer.texts(&volume.labels));
        (name.clone(), map.done())
    });
    let mut top = Pairs::default();
    top.put("name", Yaml::Text(name.clone()));
    top.put("services", Yaml::Map(services));
    top.put("networks", Yaml::Map(networks.collect()));
    top.put("volumes", Yaml::Map(volumes.collect()));
    top.put("configs", Yaml::Map(writer.configs.take()));
    let header = format!(
        "# Seat {seat} of {}, for plain Docker Compose: docker compose up --wait\n\
         # The env file beside it holds the seat's secrets. Under another name than `.env`, give it\n\
         # with --env-file.\n",
        environment.name
    );
    let mut variables = writer.used.into_inner();
    variables.sort_by_key(SeatVariable::name);
    let lines = variables
        .iter()
        .map(|variable| write_line(&variable.name(), &values.value(variable)));
    Export {
        compose: header + &top.done().document(),
        environment: format!("# The values of seat {seat}. Keep this file to yourself.\n")
            + &lines.collect::<String>(),
        files: writer.files.into_inner(),
    }
}

/// What writing one stack collects on the way.
pub(super) struct Writer<'a> {
    /// The planned ports.
    pub ports: &'a [PortAssignment],
    /// The host address to publish on where the stack names none.
    pub address: std::net::IpAddr,
    used: RefCell<Vec<SeatVariable>>,
    configs: RefCell<Vec<(String, Yaml)>>,
    files: RefCell<Vec<ExportedFile>>,
}

impl Writer<'_> {
    fn service(&self, service: &Service) -> Yaml {
        attributes::write(self, service)
    }

    /// A text, its variables noted for the env file.
    pub fn text(&self, text: &Text) -> Yaml {
        for segment in text.segments() {
            if let Segment::Variable(variable) = segment {
                let mut used = self.used.borrow_mut();
                if !used.contains(variable) {
                    used.push(variable.clone());
                }
            }
        }
        Yaml::Text(text.to_compose())
    }

    /// A list of texts.
    pub fn list(&self, texts: &[Text]) -> Yaml {
        Yaml::List(texts.iter().map(|text| self.text(text)).collect())
    }

    /// A map of texts.
    pub fn texts(&self, texts: &IndexMap<String, Text>) -> Yaml {
        let pairs = texts
            .iter()
            .map(|(key, text)| (key.clone(), self.text(text)));
        Yaml::Map(pairs.collect())
    }

    /// Declares a config of that file's content.
    pub fn config(&self, name: &str, file: &InjectedFile) {
        let source = match &file.content {
            FileContent::Text(text) => ("content".to_owned(), self.text(text)),
            FileContent::Bytes(bytes) => {
                let path = PathBuf::from("files").join(name);
                let text = plain(format!("./{}", path.display()));
                self.files.borrow_mut().push(ExportedFile {
                    path,
                    bytes: bytes.clone(),
                    mode: file.mode,
                    owner: (file.uid, file.gid),
                });
                ("file".to_owned(), text)
            }
        };
        let pair = (name.to_owned(), Yaml::Map(vec![source]));
        self.configs.borrow_mut().push(pair);
    }
}

/// Text without variables, its dollar signs doubled.
pub(super) fn plain(text: impl AsRef<str>) -> Yaml {
    Yaml::Text(text.as_ref().replace('$', "$$"))
}

/// The pairs of a map, without the empty ones.
#[derive(Default)]
pub(super) struct Pairs(Vec<(String, Yaml)>);

impl Pairs {
    /// Adds a value, unless it is an empty list or map.
    pub fn put(&mut self, key: &str, value: Yaml) {
        if !value.is_empty() {
            self.always(key, value);
        }
    }

    /// Adds a value, also an empty one.
    pub fn always(&mut self, key: &str, value: Yaml) {
        self.0.push((key.to_owned(), value));
    }

    /// Adds `true`, where it is.
    pub fn flag(&mut self, key: &str, value: bool) {
        if value {
            self.raw(key, Some("true"));
        }
    }

    /// Adds a number or the like, where there is one.
    pub fn raw(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.always(key, Yaml::Raw(value.to_string()));
        }
    }

    /// Adds a string, where there is one.
    pub fn word(&mut self, key: &str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value {
            self.always(key, plain(value));
        }
    }

    /// Adds a duration, where there is one.
    pub fn time(&mut self, key: &str, value: Option<std::time::Duration>) {
        self.word(key, value.map(write_duration));
    }

    /// Adds CPUs, where there are some.
    pub fn cpus(&mut self, key: &str, value: Option<u64>) {
        self.word(key, value.map(write_cpus));
    }

    /// The map.
    pub fn done(self) -> Yaml {
        Yaml::Map(self.0)
    }
}
