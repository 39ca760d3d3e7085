//! Repositories fetched from a server on this machine.

mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use server::{COMMIT, Fault, Host, LISTING, REPO, Request, Server, hash};
use tempfile::TempDir;
use vigc_core::progress::Progress;
use vigc_core::retry::RetryPolicy;
use vigc_core::weights::hub::{Files, Hub, HubError, RepoId};
use vigc_core::{Error, Result};

use crate::broken::shown;

const CONFIG: &[u8] = b"{}\n";
const INDEX: &[u8] =
    br#"{"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}}"#;
const WEIGHTS: &[u8] = b"sixteen of bytes";

/// A repository with both containers, of which one is sharded.
const FILES: [(&str, &[u8]); 8] = [
    ("README.md", b"not fetched"),
    ("config.json", CONFIG),
    ("model-1-of-2.safetensors", WEIGHTS),
    ("model-2-of-2.safetensors", b"others"),
    ("model.safetensors.index.json", INDEX),
    ("pytorch_model.bin", b"not fetched either"),
    ("qformer_tokenizer/tokenizer.json", b"{\"a\": 1}"),
    ("tokenizer.json", b""),
];

const SMALL: [(&str, &[u8]); 2] = [("config.json", CONFIG), ("model.safetensors", WEIGHTS)];
const MODEL: &str = "model.safetensors";

struct Setup {
    server: Server,
    cache: TempDir,
}

impl Setup {
    fn new(files: &[(&str, &[u8])]) -> Self {
        Self { server: Server::new(files), cache: tempfile::tempdir().unwrap() }
    }

    fn hub(&self) -> Hub {
        Hub::from_vars(|_| None)
            .with_cache(self.cache.path())
            .with_endpoint(self.server.endpoint())
            .with_retries(RetryPolicy::new(3, Duration::ZERO))
    }

    fn fetch(&self) -> Result<PathBuf> {
        self.hub().fetch(&repo(), &Files::Model, &Progress::none())
    }

    fn fetch_once(&self) -> Result<PathBuf> {
        let hub = self.hub().with_retries(RetryPolicy::new(1, Duration::ZERO));
        hub.fetch(&repo(), &Files::Model, &Progress::none())
    }

    fn folder(&self) -> PathBuf {
        self.cache.path().join("models--owner--name")
    }

    fn snapshot(&self) -> PathBuf {
        self.folder().join("snapshots").join(COMMIT)
    }

    fn blobs(&self) -> Vec<String> {
        let blobs = fs::read_dir(self.folder().join("blobs")).unwrap();
        blobs.map(|blob| blob.unwrap().file_name().into_string().unwrap()).collect()
    }
}

fn repo() -> RepoId {
    REPO.parse().unwrap()
}

/// The file and its error.
fn problem(result: Result<PathBuf>) -> (String, HubError) {
    match result.unwrap_err() {
        Error::Hub { repo, file, source } if repo == REPO => (file, *source),
        other => panic!("{other}"),
    }
}

fn of_data(requests: Vec<Request>) -> Vec<Request> {
    requests.into_iter().filter(|request| request.is_data).collect()
}

/// The names of all files below a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        match path.is_dir() {
            true => names.extend(self::names(&path).iter().map(|file| format!("{name}/{file}"))),
            false => names.push(name),
        }
    }
    names.sort();
    names
}

#[test]
fn a_model_is_fetched_once_into_pythons_layout() {
    let setup = Setup::new(&FILES);
    let folder = setup.fetch().unwrap();
    assert_eq!(folder, setup.snapshot());
    let wanted = FILES.into_iter().filter(|(_, bytes)| !bytes.starts_with(b"not"));
    let wanted = wanted.collect::<Vec<_>>();
    assert_eq!(names(&folder), wanted.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    for (name, bytes) in &wanted {
        assert_eq!(fs::read(folder.join(name)).unwrap(), *bytes, "{name}");
        let blob = setup.folder().join("blobs").join(hash(name, bytes));
        assert_eq!(folder.join(name).canonicalize().unwrap(), blob.canonicalize().unwrap());
    }
    assert_eq!(fs::read_to_string(setup.folder().join("refs/main")).unwrap(), COMMIT);
    assert_eq!(setup.blobs().len(), wanted.len());

    let last = of_data(setup.server.take_requests()).pop().unwrap();
    assert!(last.path.ends_with(".safetensors"), "weights come last: {last:?}");
    assert_eq!(setup.fetch().unwrap(), folder);
    let again = setup.server.take_requests();
    assert_eq!(again.len(), 1, "{again:?}");
    assert!(again[0].path.starts_with("/api/models/"), "{again:?}");
}

#[test]
fn the_links_are_relative_so_that_the_cache_can_be_moved() {
    let setup = Setup::new(&FILES);
    setup.fetch().unwrap();
    let moved = setup.cache.path().join("moved");
    fs::rename(setup.folder(), &moved).unwrap();
    let file = moved.join("snapshots").join(COMMIT).join("qformer_tokenizer/tokenizer.json");
    assert_eq!(fs::read(file).unwrap(), b"{\"a\": 1}");
}

#[test]
fn a_broken_connection_continues_where_it_was() {
    let setup = Setup::new(&SMALL);
    setup.server.spoil(MODEL, &[Fault::Cut(5), Fault::Cut(0), Fault::Cut(4)]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let progress = Progress::new({
        let seen = Arc::clone(&seen);
        move |file| seen.lock().unwrap().push((file.task.to_owned(), file.done, file.total))
    });
    let folder = setup.hub().fetch(&repo(), &Files::Model, &progress).unwrap();
    assert_eq!(fs::read(folder.join(MODEL)).unwrap(), WEIGHTS);
    let requests = of_data(setup.server.take_requests());
    let from = requests.iter().filter(|request| request.path.ends_with(MODEL));
    assert_eq!(
        from.map(|request| request.from).collect::<Vec<_>>(),
        [None, Some(5), Some(5), Some(9)]
    );

    let seen = seen.lock().unwrap();
    let of_model = seen.iter().filter(|(file, ..)| file == MODEL);
    let (done, totals): (Vec<_>, Vec<_>) = of_model.map(|(_, done, total)| (*done, *total)).unzip();
    assert!(done.is_sorted() && done[0] == 0 && done.last() == Some(&16), "{done:?}");
    assert!(totals.iter().all(|total| *total == 16));
}

#[test]
fn the_next_call_continues_where_the_last_one_was_cut_off() {
    let setup = Setup::new(&SMALL);
    setup.server.spoil(MODEL, &[Fault::Cut(10)]);
    let (file, cut) = problem(setup.fetch_once());
    assert!(matches!(cut, HubError::Connection(_)) && file == MODEL, "{cut}");
    assert!(!setup.snapshot().join(MODEL).exists());
    assert!(!setup.folder().join("blobs").join(hash(MODEL, WEIGHTS)).exists());
    assert!(!setup.folder().join("refs/main").exists());
    let (file, _) = problem(setup.hub().offline().fetch(&repo(), &Files::Model, &Progress::none()));
    assert_eq!(file, "the list of files");

    setup.server.take_requests();
    setup.fetch_once().unwrap();
    let requests = of_data(setup.server.take_requests());
    assert_eq!(requests.iter().map(|request| request.from).collect::<Vec<_>>(), [Some(10)]);
    assert_eq!(fs::read(setup.snapshot().join(MODEL)).unwrap(), WEIGHTS);
    assert_eq!(setup.blobs().len(), 2);
}

#[test]
fn a_server_without_ranges_begins_anew() {
    let setup = Setup::new(&SMALL);
    setup.server.spoil(MODEL, &[Fault::Cut(10), Fault::NoRange]);
    setup.fetch().unwrap();
    assert_eq!(fs::read(setup.snapshot().join(MODEL)).unwrap(), WEIGHTS);
}

#[test]
fn a_partial_file_that_is_too_long_is_dropped() {
    let setup = Setup::new(&SMALL);
    let blobs = setup.folder().join("blobs");
    fs::create_dir_all(&blobs).unwrap();
    let partial = blobs.join(format!("{}.incomplete", hash(MODEL, WEIGHTS)));
    fs::write(partial, b"more than sixteen bytes").unwrap();
    setup.fetch_once().unwrap();
    assert_eq!(fs::read(setup.snapshot().join(MODEL)).unwrap(), WEIGHTS);
}

#[test]
fn wrong_bytes_are_deleted_and_named() {
    for (name, bytes) in SMALL {
        let setup = Setup::new(&SMALL);
        setup.server.spoil(name, &[Fault::WrongBytes]);
        let error = shown(&setup.fetch().unwrap_err());
        let mut wrong = bytes.to_vec();
        wrong[0] ^= 1;
        for part in [REPO, name, &hash(name, bytes), &hash(name, &wrong)] {
            assert!(error.contains(part), "{part} in {error}");
        }
        assert!(!setup.snapshot().join(name).exists());
        assert!(setup.blobs().iter().all(|blob| !blob.starts_with(&hash(name, bytes))), "{name}");
        setup.fetch().unwrap();
        assert_eq!(fs::read(setup.snapshot().join(name)).unwrap(), bytes);
    }
}

#[test]
fn a_file_of_another_length_is_deleted() {
    let setup = Setup::new(&SMALL);
    setup
        .server
        .spoil(MODEL, &[Fault::Short(3), Fault::Short(0), Fault::Short(0), Fault::Short(0)]);
    let (file, size) = problem(setup.fetch());
    assert!(matches!(size, HubError::Size { expected: 16, found: 3 }) && file == MODEL, "{size}");
    assert_eq!(setup.blobs(), [hash("config.json", CONFIG)]);
}

#[test]
fn a_busy_server_is_asked_again_and_a_refusal_is_final() {
    let setup = Setup::new(&SMALL);
    setup.server.spoil(LISTING, &[Fault::Status(503), Fault::Status(429)]);
    setup.server.spoil(MODEL, &[Fault::Status(500)]);
    setup.fetch().unwrap();

    let setup = Setup::new(&SMALL);
    setup.server.spoil(LISTING, &[Fault::Status(503); 3]);
    assert!(matches!(problem(setup.fetch()).1, HubError::Status { status: 503, .. }));

    for status in [401, 403, 404] {
        let setup = Setup::new(&SMALL);
        setup.server.spoil(MODEL, &[Fault::Status(status)]);
        let error = shown(&setup.fetch().unwrap_err());
        for part in [REPO, MODEL, &status.to_string(), "HF_TOKEN"] {
            assert!(error.contains(part), "{part} in {error}");
        }
        assert_eq!(of_data(setup.server.take_requests()).len(), 2);
    }
}

#[test]
fn an_unreachable_server_is_a_failed_connection() {
    let setup = Setup::new(&SMALL);
    let endpoint = setup.server.endpoint();
    drop(setup.server);
    let hub = Hub::from_vars(|_| None).with_cache(setup.cache.path()).with_endpoint(endpoint);
    let hub = hub.with_retries(RetryPolicy::new(2, Duration::ZERO));
    let failed = problem(hub.fetch(&repo(), &Files::Model, &Progress::none()));
    assert!(matches!(failed.1, HubError::Connection(_)));
}

#[test]
fn the_token_goes_to_the_endpoint_only() {
    let setup = Setup::new(&SMALL);
    setup.server.require_token("hf_secret");
    assert!(matches!(problem(setup.fetch()).1, HubError::Denied { status: 401 }));
    assert_eq!(setup.server.take_requests().len(), 1);

    setup.hub().with_token("hf_secret").fetch(&repo(), &Files::Model, &Progress::none()).unwrap();
    let requests = setup.server.take_requests();
    assert!(requests.iter().any(|request| request.host == Host::Cdn && request.is_data));
    for request in requests {
        let expected = (request.host == Host::Hub).then_some("hf_secret");
        assert_eq!(request.token.as_deref(), expected, "{request:?}");
    }
}

#[test]
fn the_environment_names_mirror_cache_and_token() {
    let setup = Setup::new(&SMALL);
    setup.server.require_token("hf_env");
    let home = setup.cache.path().join("home");
    fs::create_dir(&home).unwrap();
    fs::write(home.join("token"), "hf_env\n").unwrap();
    let endpoint = format!("{}/", setup.server.endpoint());
    let vars = |offline: &'static str| {
        let (home, endpoint) = (home.clone(), endpoint.clone());
        move |name: &str| match name {
            "HF_HOME" => Some(home.to_str().unwrap().to_owned()),
            "HF_ENDPOINT" => Some(endpoint.clone()),
            "HF_HUB_OFFLINE" => Some(offline.to_owned()),
            _ => None,
        }
    };
    let folder =
        Hub::from_vars(vars("0")).fetch(&repo(), &Files::Model, &Progress::none()).unwrap();
    assert!(folder.starts_with(home.join("hub/models--owner--name")));
    assert!(!setup.server.take_requests().is_empty());
    let again = Hub::from_vars(vars("1")).fetch(&repo(), &Files::Model, &Progress::none()).unwrap();
    assert_eq!((again, setup.server.take_requests().len()), (folder, 0));
}

#[test]
fn offline_complete_files_are_used_and_missing_ones_named() {
    let setup = Setup::new(&FILES);
    let offline = || setup.hub().offline().fetch(&repo(), &Files::Model, &Progress::none());
    assert!(matches!(problem(offline()).1, HubError::NotCached { .. }));
    assert!(setup.server.take_requests().is_empty());

    let folder = setup.fetch().unwrap();
    setup.server.take_requests();
    assert_eq!(offline().unwrap(), folder);
    let at_commit = repo().with_revision(COMMIT).unwrap();
    let found = setup.hub().offline().fetch(&at_commit, &Files::Model, &Progress::none()).unwrap();
    assert_eq!(found, folder);

    let shard = "model-1-of-2.safetensors";
    fs::remove_file(setup.folder().join("blobs").join(hash(shard, WEIGHTS))).unwrap();
    let (file, missing) = problem(offline());
    assert!(matches!(missing, HubError::NotCached { .. }) && file == shard, "{file}: {missing}");
    let named = Files::Named(vec!["vocab.txt".to_owned()]);
    let (file, _) = problem(setup.hub().offline().fetch(&repo(), &named, &Progress::none()));
    assert_eq!(file, "vocab.txt");
    assert!(setup.server.take_requests().is_empty());
    setup.fetch().unwrap();
    assert_eq!(of_data(setup.server.take_requests()).len(), 1);
    assert_eq!(offline().unwrap(), folder);
}

#[test]
fn names_outside_the_repository_are_refused() {
    let setup = Setup::new(&SMALL);
    setup.server.list("qformer_tokenizer/../../../../x");
    let (file, refused) = problem(setup.fetch());
    assert!(matches!(refused, HubError::FileName) && file.ends_with("/x"), "{refused}");
    assert!(of_data(setup.server.take_requests()).is_empty());

    let index = br#"{"weight_map": {"a": "../x.safetensors"}}"#;
    let setup = Setup::new(&[("model.safetensors.index.json", index)]);
    assert!(matches!(setup.fetch().unwrap_err(), Error::ShardName { .. }));

    let setup = Setup::new(&SMALL);
    setup.server.set_commit("../../../x");
    assert!(matches!(problem(setup.fetch()).1, HubError::Answer { lacks: "commit" }));
}

#[test]
fn missing_files_are_named() {
    let setup = Setup::new(&[("config.json", CONFIG)]);
    assert!(matches!(problem(setup.fetch()).1, HubError::NoWeights));
    let setup = Setup::new(&[("model.safetensors.index.json", INDEX)]);
    let (file, missing) = problem(setup.fetch());
    assert!(matches!(missing, HubError::NoFile) && file == "model-1-of-2.safetensors", "{file}");
    let missing = repo().with_revision("v2").unwrap();
    let error = shown(&setup.hub().fetch(&missing, &Files::Model, &Progress::none()).unwrap_err());
    assert!(error.contains("owner/name@v2") && error.contains("404"), "{error}");
}

#[test]
fn the_files_of_vigcs_own_repositories_are_checkpoints_of_a_trainer() {
    let setup = Setup::new(&[("README.md", b"."), ("vigc7b_instrucblip_okvqa.pth", WEIGHTS)]);
    assert_eq!(names(&setup.fetch().unwrap()), ["vigc7b_instrucblip_okvqa.pth"]);
}

#[test]
fn an_endpoint_has_to_be_an_address() {
    let setup = Setup::new(&SMALL);
    for endpoint in ["", "hub", "file:///x"] {
        let hub = setup.hub().with_endpoint(endpoint);
        let wrong = problem(hub.fetch(&repo(), &Files::Model, &Progress::none())).1;
        assert!(matches!(wrong, HubError::Endpoint { .. }), "{endpoint:?}: {wrong}");
    }
}
