//! What the library sends is what a definition says.

use std::sync::{Arc, Mutex};

use aws_sdk_ecs::Client;
use aws_sdk_ecs::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_ecs::config::{BehaviorVersion, ConfigBag, Intercept, Region, RuntimeComponents};
use aws_sdk_ecs::error::BoxError;
use jiff::Timestamp;
use serde_json::Value;

use super::definition::TaskDefinition;
use super::fixture::{Scene, built_in, seat, with};
use super::request;

/// Keeps the body of a request, and lets it go no further.
#[derive(Debug, Clone, Default)]
struct Caught(Arc<Mutex<Option<Value>>>);

impl Intercept for Caught {
    fn name(&self) -> &'static str {
        "caught"
    }

    fn read_after_serialization(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.request().body().bytes().ok_or("no body")?;
        *self.0.lock().map_err(|_| "poisoned")? = Some(serde_json::from_slice(body)?);
        Err("caught".into())
    }
}

fn client(caught: &Caught) -> Client {
    let config = aws_sdk_ecs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .allow_no_auth()
        .interceptor(caught.clone())
        .build();
    Client::from_conf(config)
}

async fn sent(definition: &TaskDefinition) -> Value {
    let caught = Caught::default();
    let request = request::register(definition.clone()).unwrap();
    let sent = request.send_with(&client(&caught)).await;
    assert!(sent.is_err(), "it is caught");
    let body = caught.0.lock().unwrap().take();
    body.expect("it was serialised")
}

#[tokio::test]
async fn a_definition_is_sent_as_it_is_written() {
    let everything = Scene {
        storage: Some(30),
        ..Scene::of(with(
            "stack: stack.yaml\necs: {capacity: ec2}",
            "
services:
  a:
    image: a:1
    platform: linux/arm64
    entrypoint: [run]
    command: [it]
    user: '1000:1000'
    working_dir: /w
    init: true
    read_only: true
    stop_grace_period: 90s
    restart: on-failure
    labels: {of.mine: 'yes'}
    ulimits: {nofile: {soft: 100, hard: 200}, memlock: -1}
    sysctls: {net.core.somaxconn: 1024}
    ports: ['80', '53/udp']
    mem_limit: 100m
    mem_reservation: 50m
    cap_add: [SYS_PTRACE]
    environment: {A: b, S: $SEATBOX_SECRET_S}
    healthcheck: {test: 'true', start_period: 10s}
    depends_on: {shell: {condition: service_started}}
    volumes:
      - data:/data:ro
      - {type: tmpfs, target: /run, read_only: true, tmpfs: {size: 10m}}
  shell: {image: b:1, x-seatbox: {workspace: /data}, volumes: ['data:/data']}
volumes: {data: }
",
        ))
    };
    for scene in [everything, Scene::of(built_in())] {
        let tags = [super::definition::Tag {
            key: "dev.seatbox.environment".to_owned(),
            value: "lab".to_owned(),
        }];
        let translation = scene.translation();
        let definition = translation.definition(seat(7), &tags).unwrap();
        let written = serde_json::to_value(&definition).unwrap();
        assert_eq!(sent(&definition).await, written);
    }
}

#[tokio::test]
async fn overrides_are_sent_as_they_are_written() {
    let stack = "services: {a: {image: a, environment: {SEAT: $SEATBOX_SEAT}}}";
    let overrides = Scene::stack(stack)
        .translation()
        .overrides(seat(7), Timestamp::UNIX_EPOCH);
    let caught = Caught::default();
    let call = client(&caught)
        .run_task()
        .task_definition("x")
        .client_token("token")
        .overrides(request::overrides(overrides.clone()));
    assert!(call.send().await.is_err(), "it is caught");
    let body = caught.0.lock().unwrap().take().expect("it was serialised");
    let written = serde_json::to_value(&overrides).unwrap();
    assert_eq!(body["overrides"]["containerOverrides"], written);
}
