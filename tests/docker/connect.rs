//! The engine is found and tells what it is.

use seatbox::provider::docker::connect::ApiVersion;

use super::support::engine;

#[tokio::test]
async fn the_engine_is_found_and_answers() {
    let engine = engine().await;
    assert!(engine.supports(ApiVersion::new(1, 41)));
    assert!(!engine.supports(ApiVersion::new(99, 0)));
    assert_eq!(engine.os, "linux");
    assert!(!engine.version.is_empty() && !engine.arch.is_empty());
    let ping = engine.docker.ping().await.unwrap();
    assert!(ping.starts_with("OK"), "{ping}");
}
