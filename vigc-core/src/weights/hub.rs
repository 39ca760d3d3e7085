//! Weights from the Hugging Face hub, in the cache that Python's `huggingface_hub` uses too.
//!
//! ```no_run
//! use vigc_core::weights::hub::{Files, Hub, RepoId};
//!
//! # fn main() -> vigc_core::Result<()> {
//! let repo: RepoId = "Salesforce/instructblip-vicuna-7b".parse()?;
//! let mut show = |file: &str, done: u64, total: u64| eprint!("\r{file} {done}/{total}");
//! let folder = Hub::from_env().fetch(&repo, &Files::Model, &mut show)?;
//! # Ok(())
//! # }
//! ```

mod cache;
mod checksum;
mod client;
mod download;
mod files;
mod partial;
mod problem;
mod progress;
mod repo;
mod retries;
mod settings;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cache::RepoCache;
use client::Client;
pub use files::Files;
pub use problem::Problem;
pub use progress::Progress;
pub use repo::RepoId;
pub use retries::Retries;
use settings::{Settings, Token};

use super::checkpoint::shard_names;
use crate::{Error, Result};

/// What an error calls the request that no single file is the reason of.
const LISTING: &str = "the list of its files";

/// Where repositories come from and where they are kept.
#[derive(Debug, Clone)]
pub struct Hub {
    settings: Settings,
}

impl Hub {
    /// What the environment says, in the variables that `huggingface_hub` reads.
    ///
    /// | variable | says | otherwise |
    /// |---|---|---|
    /// | `HF_HOME` | where cache and token are | `huggingface` in `XDG_CACHE_HOME` or `~/.cache` |
    /// | `HF_HUB_CACHE` | where the cache is | `hub` in `HF_HOME` |
    /// | `HF_TOKEN` | who asks | the file `token` in `HF_HOME` |
    /// | `HF_ENDPOINT` | the address of the hub or a mirror of it | `https://huggingface.co` |
    /// | `HF_HUB_OFFLINE` | whether only the cache is used | it is not |
    ///
    /// `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` hold as everywhere.
    #[must_use]
    pub fn from_env() -> Self {
        let settings = Settings::from_vars(|name| std::env::var(name).ok(), std::env::home_dir());
        Self { settings: settings.with_proxy(ureq::Proxy::try_from_env()) }
    }

    /// What such variables say, whatever the environment holds; no proxy.
    #[must_use]
    pub fn from_vars(vars: impl Fn(&str) -> Option<String>) -> Self {
        Self { settings: Settings::from_vars(vars, None) }
    }

    /// Keeps files in this folder.
    #[must_use]
    pub fn with_cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.settings.cache = Some(folder.into());
        self
    }

    /// Asks this address, for example that of a mirror.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.settings.endpoint = endpoint.into();
        self
    }

    /// Shows this token to the endpoint, and to no host that it redirects to.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.settings.token = Some(Token(token.into()));
        self
    }

    /// Tries that often when the network fails.
    #[must_use]
    pub fn with_retries(mut self, retries: Retries) -> Self {
        self.settings.retries = retries;
        self
    }

    /// Uses what is in the cache and nothing else.
    #[must_use]
    pub fn offline(mut self) -> Self {
        self.settings.is_offline = true;
        self
    }

    /// The folder with a repository's files, fetched unless they are in the cache.
    ///
    /// A file is checked against the hash that the hub names it by before it gets its name. One that was cut
    /// off is continued, by the next call as well.
    ///
    /// # Errors
    ///
    /// [`Error::Hub`] with the repository, the file and the [`Problem`]; [`Error::Json`] or
    /// [`Error::ShardName`] for a damaged index of shards.
    pub fn fetch(
        &self,
        repo: &RepoId,
        files: &Files,
        progress: &mut dyn Progress,
    ) -> Result<PathBuf> {
        let cache = self.settings.cache.as_deref().ok_or(Problem::NoCache);
        let cache = RepoCache::new(cache.map_err(of(repo, LISTING))?, repo);
        if self.settings.is_offline {
            return cached(repo, files, &cache);
        }
        let client = Client::new(&self.settings, repo).map_err(of(repo, LISTING))?;
        Fetch { repo, cache, client }.run(files, progress)
    }
}

/// One repository on its way.
struct Fetch<'a> {
    repo: &'a RepoId,
    cache: RepoCache,
    client: Client<'a>,
}

impl Fetch<'_> {
    fn run(&self, files: &Files, progress: &mut dyn Progress) -> Result<PathBuf> {
        let listing = self.client.listing().map_err(of(self.repo, LISTING))?;
        let wanted =
            files.of(&listing.names).map_err(|(name, problem)| of(self.repo, &name)(problem))?;
        let snapshot = self.cache.snapshot(&listing.commit);
        // Weights come last, so that a folder with all of its weights is a complete one.
        for name in wanted.iter().filter(|name| !files::is_weights(name)) {
            self.file(name, &listing.commit, progress)?;
        }
        let of_index = shards(files, &wanted, &snapshot)?;
        for name in wanted.iter().filter(|name| files::is_weights(name)).chain(&of_index) {
            if !listing.names.contains(name) {
                return Err(of(self.repo, name)(Problem::NoFile));
            }
            self.file(name, &listing.commit, progress)?;
        }
        self.cache.set_commit(self.repo, &listing.commit).map_err(of(self.repo, LISTING))?;
        Ok(snapshot)
    }

    fn file(&self, name: &str, commit: &str, progress: &mut dyn Progress) -> Result<()> {
        if self.cache.has(commit, name) {
            return Ok(());
        }
        let mut fetch = || {
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

/// A repository's folder, if everything that is wanted of it is there.
fn cached(repo: &RepoId, files: &Files, cache: &RepoCache) -> Result<PathBuf> {
    let lacks = |name: &str| of(repo, name)(Problem::NotCached { cache: cache.root().to_owned() });
    let commit = cache.commit(repo).ok_or_else(|| lacks(LISTING))?;
    let snapshot = cache.snapshot(&commit);
    let present = cache.names(&commit);
    let wanted = files.of(&present).map_err(|(name, problem)| match problem {
        Problem::NoWeights | Problem::NoFile => lacks(&name),
        other => of(repo, &name)(other),
    })?;
    let of_index = shards(files, &wanted, &snapshot)?;
    match of_index.iter().find(|name| !present.contains(*name)) {
        Some(missing) => Err(lacks(missing)),
        None => Ok(snapshot),
    }
}

/// The shards that a model's index names, if it has one.
fn shards(files: &Files, wanted: &BTreeSet<String>, folder: &Path) -> Result<BTreeSet<String>> {
    let index = wanted.iter().find(|name| name.ends_with(".index.json"));
    match index.filter(|_| *files == Files::Model) {
        Some(index) => shard_names(&folder.join(index)),
        None => Ok(BTreeSet::new()),
    }
}

/// Says which file of which repository a problem is about.
fn of<'a>(repo: &'a RepoId, file: &'a str) -> impl Fn(Problem) -> Error + 'a {
    move |problem| Error::Hub {
        repo: repo.to_string(),
        file: file.to_owned(),
        source: Box::new(problem),
    }
}
