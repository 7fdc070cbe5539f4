//! What should exist of an environment as tasks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::endpoint::endpoint;
use super::parameters::Account;
use super::roles::RoleKind;
use super::template;
use super::translate::{
    DEADLINE_IMAGE, Request, Sharing, Translation, TranslationError, translate,
};
use crate::engine::{Failure, FailureClass};
use crate::model::seat::Owner;
use crate::model::{Environment, SeatNumber};
use crate::plan::{Bond, Desired, Fingerprint, Key, Need, OnReset, Stage};
use crate::provider::aws::names;
use crate::provider::aws::observe::Observed;
use crate::provider::aws::scheme::{
    Aws, AwsKind, AwsStep, DefinitionSpec, Marks, ParameterSpec, TaskSpec,
};

/// The version of what these resources are made of.
const VERSION: u32 = 1;
/// How long a task may take to begin: its images come from afar.
const PULLING: Duration = Duration::from_secs(600);
/// How long its services may take to be ready then, unless they say otherwise.
const READY: Duration = Duration::from_secs(180);

/// What tasks are planned with.
pub struct TaskSettings<'a> {
    /// Where.
    pub account: &'a Account,
    /// What exists.
    pub observed: &'a Observed,
    /// The fingerprint of the event key.
    pub key: &'a str,
    /// What is said of a resource of that owner.
    pub marks: &'a dyn Fn(Owner, Fingerprint) -> Marks,
    /// What a task needs of the network.
    pub network: &'a [Need<AwsKind>],
}

/// What tasks of `seats` are made of, each after all that it is made of.
///
/// # Errors
/// What of the environment a task can't do.
pub fn desired(
    environment: &Environment,
    seats: &[SeatNumber],
    settings: &TaskSettings<'_>,
) -> Result<Vec<Desired<Aws>>, Failure> {
    let account = settings.account;
    let roles = RoleKind::ALL.map(|kind| kind.arn(account, &environment.name));
    let [execution_role, task_role] = &roles;
    let translation = translate(&Request {
        environment,
        template: &template::built_in(),
        account,
        execution_role: Some(execution_role),
        task_role: Some(task_role),
        log_group: &names::log_group(&environment.name),
        images: &BTreeMap::new(),
        deadline_image: DEADLINE_IMAGE,
        ecs: &endpoint(&account.region)?,
        cpu: environment.ecs.cpu_units,
        storage: None,
    })
    .map_err(refused)?;
    let services = environment.stack.services.values();
    let longest = services
        .clone()
        .filter_map(|service| service.seatbox.ready_timeout)
        .max();
    let mut planner = Planner {
        environment,
        settings,
        print: Fingerprint::of(&(VERSION, translation.specification(), settings.key)),
        patience: PULLING + longest.unwrap_or(READY),
        has_checks: services.clone().any(|service| service.check().is_some()),
        translation,
        desired: Vec::new(),
    };
    planner.shared();
    for seat in seats {
        planner.seat(*seat)?;
    }
    Ok(planner.desired)
}

fn refused(error: TranslationError) -> Failure {
    let message = match &error {
        TranslationError::Unsupported(all) => {
            let all: Vec<String> = all.iter().map(ToString::to_string).collect();
            format!("{error}: {}", all.join("; "))
        }
        TranslationError::Template(error) => error.to_string(),
    };
    Failure::new(FailureClass::Invalid, "plan", message)
}

struct Planner<'a> {
    environment: &'a Environment,
    settings: &'a TaskSettings<'a>,
    translation: Translation,
    /// Of all that a task is made of.
    print: Fingerprint,
    patience: Duration,
    has_checks: bool,
    desired: Vec<Desired<Aws>>,
}

fn need(kind: AwsKind, name: impl Into<Arc<str>>, stages: usize, bond: Bond) -> Need<AwsKind> {
    Need {
        key: Key::new(kind, name),
        stages,
        bond,
    }
}

impl Planner<'_> {
    fn want(
        &mut self,
        kind: AwsKind,
        name: impl Into<Arc<str>>,
        owner: Owner,
        print: &Fingerprint,
        stages: Vec<Stage<Aws>>,
        on_reset: OnReset,
    ) {
        self.desired.push(Desired {
            key: Key::new(kind, name),
            owner,
            service: None,
            fingerprint: print.clone(),
            stages,
            on_reset,
        });
    }

    /// What all tasks share.
    fn shared(&mut self) {
        let name = &self.environment.name;
        let marks = |kind: AwsKind, of: &str| {
            let print = Fingerprint::of(&(VERSION, kind.to_string(), of));
            Arc::new((self.settings.marks)(Owner::Shared, print))
        };
        let mut wanted = Vec::new();
        let group = marks(AwsKind::LogGroup, "");
        wanted.push((
            AwsKind::LogGroup,
            names::log_group(name),
            group.fingerprint.clone(),
            vec![AwsStep::CreateLogGroup(group), AwsStep::Retain],
        ));
        for kind in RoleKind::ALL {
            let policy = kind.policy(self.settings.account, name);
            let marks = marks(AwsKind::Role, &policy);
            wanted.push((
                AwsKind::Role,
                kind.name(self.settings.account, name),
                marks.fingerprint.clone(),
                vec![AwsStep::CreateRole(marks, kind), AwsStep::Permit(kind)],
            ));
        }
        let cluster = marks(AwsKind::Cluster, "");
        wanted.push((
            AwsKind::Cluster,
            names::shared(name),
            cluster.fingerprint.clone(),
            vec![AwsStep::CreateCluster(cluster)],
        ));
        for (kind, name, print, steps) in wanted {
            let stages = steps.into_iter().map(Stage::new).collect();
            self.want(kind, name, Owner::Shared, &print, stages, OnReset::Kept);
        }
        if self.translation.sharing() != Sharing::PerSeat {
            // Whatever the seat.
            let _ = self.definition(SeatNumber::FIRST, Owner::Shared);
        }
    }

    /// The definition of a seat's task, by its family.
    fn family(&self, seat: SeatNumber) -> Arc<str> {
        format!("{}_{}", self.translation.family(seat), self.print.as_str()).into()
    }

    fn definition(&mut self, seat: SeatNumber, owner: Owner) -> Result<(), Failure> {
        let family = self.family(seat);
        let mut definition = self
            .translation
            .definition(seat, &[])
            .map_err(|error| Failure::new(FailureClass::Invalid, "plan", error.to_string()))?;
        definition.family = family.to_string();
        let spec = Arc::new(DefinitionSpec {
            marks: (self.settings.marks)(owner, self.print.clone()),
            definition,
        });
        let print = self.print.clone();
        let stages = vec![Stage::new(AwsStep::Register(spec))];
        // It follows from the stack and the seat, as parameters do from the event key besides.
        self.want(
            AwsKind::Definition,
            family,
            owner,
            &print,
            stages,
            OnReset::Kept,
        );
        Ok(())
    }

    /// The tasks that a seat has.
    fn before(&self, seat: SeatNumber) -> Vec<Arc<str>> {
        let own = self.settings.observed.of(&self.environment.name);
        let tasks = own.filter(|thing| thing.kind == AwsKind::Task);
        let mut tasks: Vec<Arc<str>> = tasks
            .filter(|thing| thing.ownership.owner == Owner::Seat(seat))
            .map(|thing| Arc::clone(&thing.id))
            .collect();
        tasks.sort();
        tasks
    }

    fn seat(&mut self, seat: SeatNumber) -> Result<(), Failure> {
        let owner = Owner::Seat(seat);
        let name = &self.environment.name;
        let mut needs = self.settings.network.to_vec();
        needs.push(need(
            AwsKind::LogGroup,
            names::log_group(name),
            1,
            Bond::Follows,
        ));
        needs.push(need(
            AwsKind::Cluster,
            names::shared(name),
            1,
            Bond::Follows,
        ));
        for kind in RoleKind::ALL {
            let role = kind.name(self.settings.account, name);
            needs.push(need(AwsKind::Role, role, 2, Bond::Follows));
        }
        let parameters: Vec<(Arc<str>, ParameterSpec)> = self
            .translation
            .parameters()
            .map(|parameter| {
                let name: Arc<str> = self.translation.parameter_name(seat, &parameter).into();
                let print = (
                    VERSION,
                    &*name,
                    parameter.text.to_compose(),
                    self.settings.key,
                );
                let spec = ParameterSpec {
                    marks: (self.settings.marks)(owner, Fingerprint::of(&print)),
                    seat,
                    name: Arc::clone(&name),
                    text: parameter.text.clone(),
                };
                (name, spec)
            })
            .collect();
        for (name, spec) in parameters {
            let print = spec.marks.fingerprint.clone();
            needs.push(need(AwsKind::Parameter, Arc::clone(&name), 1, Bond::Holds));
            let stages = vec![Stage::new(AwsStep::PutParameter(Arc::new(spec)))];
            // A name is not free at once: AWS asks for 30 seconds between a deletion and the next put.
            self.want(
                AwsKind::Parameter,
                name,
                owner,
                &print,
                stages,
                OnReset::Kept,
            );
        }
        if self.translation.sharing() == Sharing::PerSeat {
            self.definition(seat, owner)?;
        }
        let family = self.family(seat);
        needs.push(need(
            AwsKind::Definition,
            Arc::clone(&family),
            1,
            Bond::Follows,
        ));
        let marks = (self.settings.marks)(owner, self.print.clone());
        let spec = Arc::new(TaskSpec {
            overrides: self.translation.overrides(seat, marks.expires),
            before: self.before(seat),
            marks,
            family,
            patience: self.patience,
            has_checks: self.has_checks,
            cpu: self.translation.size().cpu,
        });
        let stages = vec![
            Stage {
                step: AwsStep::RunTask(Arc::clone(&spec)),
                needs,
            },
            Stage::new(AwsStep::AwaitTask(spec)),
        ];
        let print = self.print.clone();
        self.want(
            AwsKind::Task,
            names::seat(&self.environment.name, seat),
            owner,
            &print,
            stages,
            OnReset::Renewed,
        );
        Ok(())
    }
}
