//! Weights from the Hugging Face hub, in the cache of Python's `huggingface_hub`.
//!
//! ```no_run
//! use vigc_core::progress::Progress;
//! use vigc_core::weights::Checkpoint;
//! use vigc_core::weights::hub::{Files, Hub, RepoId};
//!
//! # fn main() -> vigc_core::Result<()> {
//! let repo: RepoId = "Salesforce/instructblip-vicuna-7b".parse()?;
//! let show = Progress::new(|file| eprint!("\r{} {}/{}", file.task, file.done, file.total));
//! let folder = Hub::from_env().fetch(&repo, &Files::Model, &show)?;
//! let checkpoint = Checkpoint::open(folder)?;
//! # Ok(())
//! # }
//! ```

mod cache;
mod checksum;
mod client;
mod download;
mod files;
mod repo;
mod settings;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::checkpoint::shard_names;
use crate::progress::Progress;
use crate::retry::RetryPolicy;
use crate::{Error, Result};
use cache::RepoCache;
use client::Client;
use settings::{Settings, Token};

pub use crate::error::HubError;
pub use files::Files;
pub use repo::RepoId;

/// What an error names instead of a file when the whole repository is concerned.
const LISTING: &str = "the list of files";

/// The hub, or a mirror of it, and the cache of its repositories.
#[derive(Debug, Clone)]
pub struct Hub {
    settings: Settings,
}

impl Hub {
    /// The settings of the environment, in the variables of `huggingface_hub`.
    ///
    /// | variable | meaning | default |
    /// |---|---|---|
    /// | `HF_HOME` | the folder of cache and token | `huggingface` in `XDG_CACHE_HOME` or `~/.cache` |
    /// | `HF_HUB_CACHE` | the folder of the cache | `hub` in `HF_HOME` |
    /// | `HF_TOKEN` | the user's token | the file `token` in `HF_HOME` |
    /// | `HF_ENDPOINT` | the address of the hub or of a mirror | `https://huggingface.co` |
    /// | `HF_HUB_OFFLINE` | whether only the cache is used | no |
    ///
    /// Proxies are read from `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.
    #[must_use]
    pub fn from_env() -> Self {
        let settings = Settings::from_vars(|name| std::env::var(name).ok(), std::env::home_dir());
        Self { settings: settings.with_proxy(ureq::Proxy::try_from_env()) }
    }

    /// The settings of the given variables instead of the environment's, without a proxy.
    #[must_use]
    pub fn from_vars(vars: impl Fn(&str) -> Option<String>) -> Self {
        Self { settings: Settings::from_vars(vars, None) }
    }

    /// Sets the folder of the cache.
    #[must_use]
    pub fn with_cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.settings.cache = Some(folder.into());
        self
    }

    /// Sets the address of the hub, for example of a mirror.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.settings.endpoint = endpoint.into();
        self
    }

    /// Sets the user's token. It is sent to the endpoint, and never to a host that the endpoint redirects to.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.settings.token = Some(Token(token.into()));
        self
    }

    /// Sets how often requests are repeated. Attempts that continue a download count anew after every gain.
    #[must_use]
    pub fn with_retries(mut self, retries: RetryPolicy) -> Self {
        self.settings.retries = retries;
        self
    }

    /// Uses only the cache.
    #[must_use]
    pub fn offline(mut self) -> Self {
        self.settings.is_offline = true;
        self
    }

    /// Fetches files of a repository unless they are in the cache, and returns their folder.
    ///
    /// A download is compared with the hash that the hub names before the file gets its name. A download that was cut off is
    /// continued, by a later call as well. `progress` gets the bytes of every file that is downloaded.
    ///
    /// # Errors
    ///
    /// [`Error::Hub`] with the repository, the file and the [`HubError`]; [`Error::Json`] or [`Error::ShardName`] for a damaged
    /// index of shards.
    pub fn fetch(&self, repo: &RepoId, files: &Files, progress: &Progress) -> Result<PathBuf> {
        let cache = self.settings.cache.as_deref().ok_or(HubError::NoCache);
        let cache = RepoCache::new(cache.map_err(of(repo, LISTING))?, repo);
        if self.settings.is_offline {
            return cached(repo, files, &cache);
        }
        let client = Client::new(&self.settings, repo).map_err(of(repo, LISTING))?;
        Fetch { repo, cache, client }.run(files, progress)
    }
}

/// The download of one repository.
struct Fetch<'a> {
    repo: &'a RepoId,
    cache: RepoCache,
    client: Client<'a>,
}

impl Fetch<'_> {
    fn run(&self, files: &Files, progress: &Progress) -> Result<PathBuf> {
        let listing = self.client.listing().map_err(of(self.repo, LISTING))?;
        let wanted =
            files.of(&listing.names).map_err(|(name, error)| of(self.repo, &name)(error))?;
        let snapshot = self.cache.snapshot(&listing.commit);
        // Weights come last, so a folder that has its weights is complete.
        for name in wanted.iter().filter(|name| !files::is_weights(name)) {
            self.file(name, &listing.commit, progress)?;
        }
        let of_index = shards(files, &wanted, &snapshot)?;
        for name in wanted.iter().filter(|name| files::is_weights(name)).chain(&of_index) {
            if !listing.names.contains(name) {
                return Err(of(self.repo, name)(HubError::NoFile));
            }
            self.file(name, &listing.commit, progress)?;
        }
        self.cache.set_commit(self.repo, &listing.commit).map_err(of(self.repo, LISTING))?;
        Ok(snapshot)
    }

    fn file(&self, name: &str, commit: &str, progress: &Progress) -> Result<()> {
        if self.cache.has(commit, name) {
            return Ok(());
        }
        let fetch = || {
            let metadata = self.client.metadata(commit, name)?;
            let _lock = self.cache.lock(&metadata.checksum)?;
            let blob = self.cache.blob(&metadata.checksum);
            if !blob.is_file() {
                let download =
                    download::Download { client: &self.client, commit, name, metadata: &metadata };
                download.run(&self.cache.partial(&metadata.checksum), &blob, progress)?;
            }
            self.cache.link(&metadata.checksum, commit, name)
        };
        fetch().map_err(of(self.repo, name))
    }
}

/// The folder of a repository in the cache, if all wanted files are there.
fn cached(repo: &RepoId, files: &Files, cache: &RepoCache) -> Result<PathBuf> {
    let lacks = |name: &str| of(repo, name)(HubError::NotCached { cache: cache.root().to_owned() });
    let commit = cache.commit(repo).ok_or_else(|| lacks(LISTING))?;
    let snapshot = cache.snapshot(&commit);
    let present = cache.names(&commit);
    let wanted = files.of(&present).map_err(|(name, error)| match error {
        HubError::NoWeights | HubError::NoFile => lacks(&name),
        other => of(repo, &name)(other),
    })?;
    let of_index = shards(files, &wanted, &snapshot)?;
    match of_index.iter().find(|name| !present.contains(*name)) {
        Some(missing) => Err(lacks(missing)),
        None => Ok(snapshot),
    }
}

/// The shards in the index of a model, if it has one.
fn shards(files: &Files, wanted: &BTreeSet<String>, folder: &Path) -> Result<BTreeSet<String>> {
    let index = wanted.iter().find(|name| name.ends_with(".index.json"));
    match index.filter(|_| *files == Files::Model) {
        Some(index) => shard_names(&folder.join(index)),
        None => Ok(BTreeSet::new()),
    }
}

/// Adds the repository and the file to an error.
fn of<'a>(repo: &'a RepoId, file: &'a str) -> impl Fn(HubError) -> Error + 'a {
    move |error| Error::Hub {
        repo: repo.to_string(),
        file: file.to_owned(),
        source: Box::new(error),
    }
}
