//! Image references, as far as names must be compared and mirrors be asked.

/// The registry that a reference without one means, as engines have it.
const DEFAULT_REGISTRY: &str = "docker.io";

/// The short form that an engine lists an image under: without the default registry, with a tag.
pub fn familiar(reference: &str) -> String {
    let (name, tail) = split(reference);
    // With a digest a tag says nothing, and engines leave it out.
    let name = if tail.starts_with('@') {
        split(name).0
    } else {
        name
    };
    let name = name
        .strip_prefix("docker.io/library/")
        .or_else(|| name.strip_prefix("index.docker.io/library/"))
        .or_else(|| name.strip_prefix("docker.io/"))
        .or_else(|| name.strip_prefix("library/"))
        .unwrap_or(name);
    if tail.is_empty() {
        format!("{name}:latest")
    } else {
        format!("{name}{tail}")
    }
}

/// Where a mirror has that image: the mirror's name instead of the default registry's, with the
/// whole path behind it. `None` where the reference names another registry, which no mirror
/// stands for.
pub fn at_mirror(reference: &str, mirror: &str) -> Option<String> {
    let familiar = familiar(reference);
    let (name, tail) = split(&familiar);
    if registry(name) != DEFAULT_REGISTRY {
        return None;
    }
    let path = if name.contains('/') {
        name.to_owned()
    } else {
        format!("library/{name}")
    };
    Some(format!("{}/{path}{tail}", mirror.trim_end_matches('/')))
}

/// The repository of a reference, and its tag (or digest, likewise).
pub fn repository_and_tag(reference: &str) -> (&str, &str) {
    let (name, tail) = split(reference);
    (name, tail.get(1..).unwrap_or_default())
}

/// The name, and the tag or digest with the sign before it.
fn split(reference: &str) -> (&str, &str) {
    let end = reference.find('@').unwrap_or_else(|| {
        let last = reference.rfind('/').map_or(0, |slash| slash + 1);
        reference[last..]
            .find(':')
            .map_or(reference.len(), |colon| last + colon)
    });
    reference.split_at(end)
}

/// The registry in a name: what is before the first slash, where it looks like a host.
fn registry(name: &str) -> &str {
    match name.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => DEFAULT_REGISTRY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_registry_and_tag_make_no_other_image() {
        for same in [
            "redis",
            "redis:latest",
            "library/redis",
            "docker.io/library/redis",
        ] {
            assert_eq!(familiar(same), "redis:latest");
        }
        assert_eq!(
            familiar("host.example:5000/a/b"),
            "host.example:5000/a/b:latest"
        );
        assert_eq!(familiar("redis@sha256:00"), "redis@sha256:00");
        assert_eq!(familiar("redis:7@sha256:00"), "redis@sha256:00");
    }

    #[test]
    fn a_mirror_stands_for_the_default_registry_and_for_no_other() {
        let at = |reference| at_mirror(reference, "mirror.example:5000/hub/");
        assert_eq!(
            at("redis:7").unwrap(),
            "mirror.example:5000/hub/library/redis:7"
        );
        assert_eq!(
            at("grafana/loki:3").unwrap(),
            "mirror.example:5000/hub/grafana/loki:3"
        );
        assert_eq!(at("host.example/a:1"), None);
    }
}
