//! The Docker engine as a provider.

use std::collections::{BTreeSet, HashMap};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use futures_util::stream::{self, StreamExt as _};
use ipnet::Ipv4Net;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::OnceCell;

use super::apply::Applier;
use super::clock;
use super::connect::Engine;
use super::create::{Refused, Unanswered};
use super::desired::{self, Surroundings};
use super::errors::failure;
use super::exec::{ExecOptions, exec_attached};
use super::found;
use super::lease;
use super::listening;
use super::logs;
use super::names;
use super::observe::{self, ContainerState, KILLED, Observed};
use super::ports::Holder;
use super::ready;
use super::routes;
use super::scheme::Docker;
use super::snapshot::copies::Copies;
use super::status;
use crate::engine::retry::{again, part_of_look};
use crate::engine::{Apply, Failure, Progress};
use crate::expiry::{Clocks, seconds_of};
use crate::image::{self, Choice, Fetch, Origin, Recipes};
use crate::model::view::SeatView;
use crate::model::{Environment, EnvironmentName, SeatNumber, Service};
use crate::plan::{self, Action, Mode, Plan};
use crate::provider::labels::Ownership;
use crate::provider::workspace::WorkspaceSource;
use crate::provider::{Existing, Logged, Logs, Operate, Provider, notices};
use crate::secret::EventKey;

/// How many checks a closer look makes at once.
const CLOSER_LOOKS: usize = 16;

/// Seats on a Docker engine.
pub struct DockerProvider {
    engine: Engine,
    applier: Applier,
    recipes: Arc<Recipes>,
    now: Timestamp,
    clocks: OnceCell<(Clocks, Instant)>,
}

impl DockerProvider {
    /// A provider for one environment, or for none where nothing is to be created. `now` is when
    /// this run began, by this machine's clock.
    pub fn new(
        engine: Engine,
        environment: Option<Arc<Environment>>,
        key: Option<Arc<EventKey>>,
        recipes: Recipes,
        now: Timestamp,
    ) -> Self {
        let recipes = Arc::new(recipes);
        Self {
            applier: Applier {
                client: engine.docker.clone(),
                is_local: engine.is_local,
                environment,
                key,
                workspace: WorkspaceSource::default(),
                images: Fetch {
                    recipes: Arc::clone(&recipes),
                },
                unanswered: Unanswered::default(),
                copies: Copies::default(),
                refused: Refused::default(),
            },
            engine,
            recipes,
            now,
            clocks: OnceCell::new(),
        }
    }

    /// The time, by the engine's clock as soon as that is known: lifetimes count from it.
    fn now(&self) -> Timestamp {
        let told = self.clocks.get().and_then(|(clocks, asked)| {
            let since = SignedDuration::try_from(asked.elapsed()).ok()?;
            clocks.engine.saturating_add(since).ok()
        });
        told.unwrap_or(self.now)
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    fn environment(&self) -> &Environment {
        self.applier
            .environment
            .as_deref()
            .expect("verbs that speak of seats have an environment")
    }

    /// Where each image of the environment's stack comes from.
    pub async fn choices(&self, observed: &Observed) -> Vec<Choice> {
        let environment = self.environment();
        image::resolve(
            &self.engine.docker,
            environment
                .stack
                .services
                .values()
                .map(|service| service.image.as_str()),
            &observed.images,
            &environment.images,
            &self.recipes,
        )
        .await
    }

    /// The routes and listeners of the engine's host, which are seen only where that is this one.
    fn surroundings(&self) -> (Vec<Ipv4Net>, Vec<Holder>) {
        if !self.engine.is_local {
            return (Vec::new(), Vec::new());
        }
        let proc = Path::new("/proc");
        let listeners = listening::listening(proc)
            .into_iter()
            .map(|listener| Holder {
                address: listener.address,
                port: listener.port,
                protocol: listener.protocol,
                name: match listener.process {
                    Some(process) => process,
                    None => "another program".to_owned(),
                },
            })
            .collect();
        (routes::networks(proc), listeners)
    }

    /// A seat that is brought up in parts, or put right, ends when the rest of its environment
    /// does.
    fn expires(&self, observed: &Observed) -> Timestamp {
        let environment = self.environment();
        let end = observed.ends().get(&environment.name).latest;
        end.filter(|end| *end > self.now())
            .unwrap_or_else(|| environment.lifetime.expires(self.now()))
    }

    fn notices(&self, observed: &Observed, choices: &[Choice]) -> Vec<String> {
        let environment = self.environment();
        let mut notices: Vec<String> = choices.iter().filter_map(Choice::notice).collect();
        notices.extend(self.end_notices(observed));
        if self.expires(observed) <= self.now() {
            notices.push(format!(
                "by the engine's clock it is {}: seats that are made now have expired already",
                seconds_of(self.now())
            ));
        }
        let existing = observed
            .ownerships()
            .filter(|ownership| ownership.environment == environment.name)
            .filter_map(|ownership| ownership.owner.seat());
        notices.extend(notices::beyond(environment, existing));
        notices
    }
}

impl Apply<Docker> for DockerProvider {
    async fn apply(&self, action: &Action<Docker>, progress: &Progress) -> Result<(), Failure> {
        self.applier.apply(action, progress).await
    }
}

impl Provider for DockerProvider {
    type Scheme = Docker;
    type Observed = Observed;

    async fn observe(&self) -> Result<Observed, Failure> {
        let look = observe::observe(&self.engine.docker);
        if self.applier.environment.is_none() {
            return look.await;
        }
        // Beside the lists, for whoever makes or shows seats: it is the slowest of these calls.
        let (observed, clocks) = tokio::join!(look, self.clocks());
        clocks?;
        observed
    }

    async fn converge(
        &self,
        observed: &Observed,
        seats: &[SeatNumber],
        mode: &Mode,
    ) -> Result<Plan<Docker>, Failure> {
        let environment = self.environment();
        let choices = self.choices(observed).await;
        let (mut routes, listeners) = self.surroundings();
        routes.extend(self.applier.refused.all());
        let key = self
            .applier
            .key
            .as_ref()
            .map(|key| key.fingerprint())
            .unwrap_or_default();
        let wanted = desired::desired(
            environment,
            seats,
            &Surroundings {
                observed,
                choices: &choices,
                routes: &routes,
                listeners: &listeners,
                key: &key,
                expires: self.expires(observed),
            },
        );
        let blocked: BTreeSet<SeatNumber> = wanted.blocked.iter().map(|seat| seat.seat).collect();
        let images: HashMap<&str, &str> = choices
            .iter()
            .filter_map(|choice| match &choice.origin {
                Origin::Present { id } => Some((choice.wanted.as_str(), id.as_str())),
                _ => None,
            })
            .collect();
        let ours = observed.clone().of(&environment.name);
        let found = found::found(environment, &ours, &images, |seat| {
            seats.contains(&seat) && !blocked.contains(&seat)
        });
        let mut plan = plan::converge(&wanted.desired, found, mode);
        plan.seats = seats.to_vec();
        plan.blocked = wanted.blocked;
        plan.notices = self.notices(observed, &choices);
        Ok(plan)
    }

    fn existing(&self, observed: &Observed) -> Vec<Existing<Docker>> {
        let by_id: HashMap<&str, _> = observed
            .containers
            .iter()
            .map(|c| (c.id.as_str(), &c.ownership))
            .chain(
                observed
                    .networks
                    .iter()
                    .map(|n| (n.id.as_str(), &n.ownership)),
            )
            .chain(
                observed
                    .volumes
                    .iter()
                    .map(|v| (v.name.as_str(), &v.ownership)),
            )
            .chain(
                observed
                    .leases
                    .iter()
                    .map(|l| (l.name.as_str(), &l.ownership)),
            )
            .collect();
        found::existing(observed, |_| true)
            .into_iter()
            .filter_map(|resource| {
                let ownership = by_id.get(&*resource.id)?;
                Some(Existing {
                    environment: ownership.environment.clone(),
                    owner: ownership.owner,
                    expires: ownership.expires.clone(),
                    key: ownership.key.clone(),
                    resource,
                })
            })
            .collect()
    }

    async fn look_closer(&self, observed: &mut Observed, seats: &[SeatNumber]) {
        let environment = self.environment();
        let doubtful = observed.containers.iter_mut().filter(|container| {
            matches!(
                container.state,
                ContainerState::Starting | ContainerState::Exited(Some(KILLED))
            ) && container.ownership.environment == environment.name
                && container
                    .ownership
                    .owner
                    .seat()
                    .is_some_and(|seat| seats.contains(&seat))
        });
        stream::iter(doubtful)
            .for_each_concurrent(CLOSER_LOOKS, async |container| {
                let (client, id) = (&self.engine.docker, container.id.as_str());
                if container.state != ContainerState::Starting {
                    container.out_of_memory = ready::ran_out_of_memory(client, id).await;
                } else if ready::passes(client, id).await {
                    container.state = ContainerState::Running;
                }
            })
            .await;
    }

    fn seats(&self, observed: &Observed, seats: &[SeatNumber]) -> Vec<SeatView> {
        status::seats(self.environment(), observed, seats)
    }
}

impl Operate for DockerProvider {
    async fn clocks(&self) -> Result<Clocks, Failure> {
        let read = async || {
            let ask = || clock::read(&self.engine.docker, Timestamp::now);
            let clocks = part_of_look(ask).await?;
            Ok((clocks, Instant::now()))
        };
        Ok(self.clocks.get_or_try_init(read).await?.0)
    }

    fn end_notices(&self, observed: &Observed) -> Vec<String> {
        let clocks = self.clocks.get().map(|(clocks, _)| *clocks);
        let ends = observed.ends();
        notices::end(clocks, ends.get(&self.environment().name), self.now())
    }

    async fn extend(
        &self,
        environment: &EnvironmentName,
        end: Timestamp,
        _: &Observed,
    ) -> Result<(), Failure> {
        again(|| lease::create(&self.engine.docker, environment, end)).await
    }

    async fn tidy(&self, environment: &EnvironmentName, observed: &Observed) {
        let is_own = |ownership: &Ownership| ownership.environment == *environment;
        let client = &self.engine.docker;
        if observed.seat_ownerships().any(is_own) {
            let superfluous = lease::superfluous(environment, &observed.leases);
            lease::remove(client, superfluous).await;
        } else {
            let own = |lease: &&lease::Lease| is_own(&lease.ownership);
            lease::remove(client, observed.leases.iter().filter(own)).await;
        }
    }

    async fn attach(
        &self,
        seat: SeatNumber,
        service: &Service,
        argv: Vec<String>,
    ) -> Result<i64, Failure> {
        let name = &self.environment().name;
        let container = names::container(name, seat, service.name.as_str());
        let options = ExecOptions {
            argv,
            tty: None,
            stdin: true,
            user: None,
            workdir: service.seatbox.workspace.clone(),
            // What the terminal can do is known on this side only.
            env: std::env::var("TERM")
                .map(|term| format!("TERM={term}"))
                .into_iter()
                .collect(),
        };
        exec_attached(&self.engine.docker, &container, options)
            .await
            .map_err(|error| failure("run a command", &error))
    }

    async fn logs(
        &self,
        observed: &Observed,
        wanted: &Logs,
        out: &mut (impl Write + Send),
    ) -> Result<Logged, Failure> {
        let sources = logs::sources(&self.environment().name, observed, wanted);
        Ok(logs::write_logs(&self.engine.docker, &sources, wanted, out).await)
    }
}
