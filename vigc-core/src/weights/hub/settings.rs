//! The settings of the hub, and their variables in the environment.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::retry::RetryPolicy;

const ENDPOINT: &str = "https://huggingface.co";

/// A secret whose `Debug` output hides it.
#[derive(Clone)]
pub(super) struct Token(pub(super) String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) cache: Option<PathBuf>,
    pub(super) endpoint: String,
    pub(super) token: Option<Token>,
    pub(super) is_offline: bool,
    pub(super) retries: RetryPolicy,
    pub(super) proxy: Option<ureq::Proxy>,
}

impl Settings {
    /// The rules of `huggingface_hub/constants.py`.
    pub(super) fn from_vars(vars: impl Fn(&str) -> Option<String>, user: Option<PathBuf>) -> Self {
        let var = |name| vars(name).map(|value| value.trim().to_owned()).filter(|v| !v.is_empty());
        let user = user.or_else(|| var("HOME").map(PathBuf::from));
        let folder = |name| var(name).map(|path| expanded(&path, user.as_deref()));
        let caches = folder("XDG_CACHE_HOME").or_else(|| Some(user.as_ref()?.join(".cache")));
        let home = folder("HF_HOME").or_else(|| Some(caches?.join("huggingface")));
        let token = var("HF_TOKEN").or_else(|| stored_token(home.as_deref()?));
        Self {
            cache: folder("HF_HUB_CACHE").or_else(|| Some(home.as_ref()?.join("hub"))),
            endpoint: var("HF_ENDPOINT").unwrap_or_else(|| ENDPOINT.to_owned()),
            token: token.map(Token),
            is_offline: var("HF_HUB_OFFLINE").is_some_and(|value| is_true(&value)),
            retries: RetryPolicy::default(),
            proxy: None,
        }
    }

    pub(super) fn with_proxy(self, proxy: Option<ureq::Proxy>) -> Self {
        Self { proxy, ..self }
    }
}

fn is_true(value: &str) -> bool {
    ["1", "on", "yes", "true"].contains(&value.to_lowercase().as_str())
}

fn expanded(path: &str, user: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/"), user) {
        (Some(rest), Some(user)) => user.join(rest),
        _ => path.into(),
    }
}

fn stored_token(home: &Path) -> Option<String> {
    let text = fs::read_to_string(home.join("token")).ok()?;
    Some(text.trim().to_owned()).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(vars: &[(&str, &str)]) -> Settings {
        let find = |name: &str| vars.iter().find(|(key, _)| *key == name);
        let vars = |name: &str| find(name).map(|(_, value)| (*value).to_owned());
        Settings::from_vars(vars, Some("/home/me".into()))
    }

    #[test]
    fn the_cache_is_where_python_has_it() {
        let cases: [(&[(&str, &str)], &str); 6] = [
            (&[], "/home/me/.cache/huggingface/hub"),
            (&[("XDG_CACHE_HOME", "/x")], "/x/huggingface/hub"),
            (&[("HF_HOME", "/hf"), ("XDG_CACHE_HOME", "/x")], "/hf/hub"),
            (&[("HF_HOME", "~/hf")], "/home/me/hf/hub"),
            (&[("HF_HUB_CACHE", "/c"), ("HF_HOME", "/hf")], "/c"),
            (&[("HF_HUB_CACHE", " ")], "/home/me/.cache/huggingface/hub"),
        ];
        for (vars, expected) in cases {
            assert_eq!(settings(vars).cache.unwrap(), Path::new(expected), "{vars:?}");
        }
    }

    #[test]
    fn what_is_not_set_has_a_default() {
        let default = settings(&[]);
        assert_eq!((default.endpoint.as_str(), default.is_offline), (ENDPOINT, false));
        let set = settings(&[("HF_ENDPOINT", "https://mirror"), ("HF_HUB_OFFLINE", "TRUE")]);
        assert_eq!((set.endpoint.as_str(), set.is_offline), ("https://mirror", true));
        assert!(!settings(&[("HF_HUB_OFFLINE", "0")]).is_offline);
    }

    #[test]
    fn the_token_comes_from_the_variable_or_the_file_and_is_not_printed() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("token"), "hf_file\n").unwrap();
        let home = home.path().to_str().unwrap();
        let token = |vars: &[(&str, &str)]| settings(vars).token.map(|Token(token)| token);
        assert_eq!(token(&[]), None);
        assert_eq!(token(&[("HF_HOME", home)]).as_deref(), Some("hf_file"));
        let both = [("HF_HOME", home), ("HF_TOKEN", "hf_var")];
        assert_eq!(token(&both).as_deref(), Some("hf_var"));
        assert!(!format!("{:?}", settings(&both)).contains("hf_var"));
    }
}
