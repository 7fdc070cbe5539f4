//! The JSON Schema of environment files, for editors.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::raw::RawEnvironment;

/// The schema's name of its own.
pub const SCHEMA_ID: &str = "https://seatbox.dev/schemas/environment-v1.json";

/// The JSON Schema (draft 2020-12) of an environment file, version 1.
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<RawEnvironment>();
    schema.insert("$id".to_owned(), SCHEMA_ID.into());
    schema.to_value()
}
