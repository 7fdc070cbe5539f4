//! Environments for tests, read as they are from a file, and what is made of them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::definition::{ContainerDefinition, TaskDefinition};
use super::parameters::Account;
use super::template;
use super::translate::{DEADLINE_IMAGE, Request, Translation, TranslationError, translate};
use super::unsupported::Images;
use crate::environment::{Overrides, load};
use crate::model::environment::ProviderKind;
use crate::model::{Environment, SeatNumber};

/// An environment of that stack, on ECS. Everything that can be opened is open.
pub fn environment(stack: &str) -> Environment {
    with("stack: stack.yaml", stack)
}

/// An environment with these lines besides, on ECS.
pub fn with(lines: &str, stack: &str) -> Environment {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    std::fs::write(at("stack.yaml"), stack).unwrap();
    let isolation = "isolation: {capabilities: [SYS_PTRACE, NET_RAW, SYS_NICE], \
                     security_opt: [seccomp=unconfined], bind_mounts: [/srv]}";
    let seats = match lines.contains("seats:") {
        true => "",
        false => "seats: {count: 23}\n",
    };
    let aws = "aws: {venue: [203.0.113.0/24]}";
    let text = format!("version: 1\nname: lab\nlifetime: 1h\n{aws}\n{isolation}\n{seats}{lines}\n");
    std::fs::write(at("lab.yaml"), text).unwrap();
    let overrides = Overrides {
        provider: Some(ProviderKind::Ecs),
        ..Overrides::new([], Timestamp::UNIX_EPOCH)
    };
    match load(&at("lab.yaml"), &overrides) {
        Ok(loaded) => loaded.environment,
        Err(problems) => panic!("{}", problems.render(false, 100)),
    }
}

/// An environment of the built-in stack, on ECS.
pub fn built_in() -> Environment {
    with("stack: {template: go-redis-postgres}", "")
}

/// A request with what a test does not care about.
pub struct Scene {
    pub environment: Environment,
    pub template: String,
    pub account: Account,
    pub images: Images,
    pub cpu: Option<u32>,
    pub storage: Option<u32>,
}

impl Scene {
    pub fn of(environment: Environment) -> Self {
        Self {
            environment,
            template: template::built_in(),
            account: Account {
                partition: "aws-cn".to_owned(),
                region: "cn-north-1".to_owned(),
                id: "123456789012".to_owned(),
            },
            images: Images::new(),
            cpu: None,
            storage: None,
        }
    }

    pub fn stack(stack: &str) -> Self {
        Self::of(environment(stack))
    }

    pub fn translate(&self) -> Result<Translation, TranslationError> {
        translate(&Request {
            environment: &self.environment,
            template: &self.template,
            account: &self.account,
            execution_role: Some("arn:aws-cn:iam::123456789012:role/seatbox-lab"),
            task_role: None,
            log_group: "/seatbox/lab",
            images: &self.images,
            deadline_image: DEADLINE_IMAGE,
            ecs: "https://ecs.cn-north-1.amazonaws.com.cn",
            cpu: self.cpu,
            storage: self.storage,
        })
    }

    pub fn translation(&self) -> Translation {
        match self.translate() {
            Ok(translation) => translation,
            Err(TranslationError::Unsupported(all)) => panic!("{all:#?}"),
            Err(error) => panic!("{error}"),
        }
    }

    pub fn definition(&self, number: u32) -> TaskDefinition {
        self.translation().definition(seat(number), &[]).unwrap()
    }
}

pub fn seat(number: u32) -> SeatNumber {
    SeatNumber::new(number).unwrap()
}

pub fn container<'a>(definition: &'a TaskDefinition, name: &str) -> &'a ContainerDefinition {
    let mut all = definition.container_definitions.iter();
    all.find(|container| container.name == name).unwrap()
}

pub fn variables(container: &ContainerDefinition) -> BTreeMap<&str, &str> {
    let all = container.environment.iter();
    all.map(|one| (one.name.as_str(), one.value.as_str()))
        .collect()
}
