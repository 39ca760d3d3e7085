//! Where everything of an experiment lies.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use vigc_pipeline::core::files::{read_json, write_atomic, write_json};

use crate::job::Job;
use crate::report::{Outcome, Report};
use crate::settings::{Settings, normalized};

/// The folder of an experiment.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// A new folder, or that of an experiment with the same settings.
    pub(crate) fn open(path: &Path, settings: &Settings) -> anyhow::Result<Self> {
        for inner in ["done", "logs", "outcomes"] {
            fs::create_dir_all(path.join(inner))?;
        }
        let (record, text) = (path.join("settings.toml"), settings.text()?);
        match fs::read_to_string(&record) {
            Ok(found) if normalized(&found) == text => {}
            Ok(_) => bail!(
                "{} holds an experiment with other settings or recipes; choose another folder with --out",
                path.display()
            ),
            Err(_) => write_atomic(&record, text.as_bytes())?,
        }
        Ok(Self(path.to_owned()))
    }

    pub(crate) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }

    /// The model that a stage wrote to a folder.
    pub(crate) fn model(&self, name: &str) -> PathBuf {
        self.join(name).join("model")
    }

    pub(crate) fn is_done(&self, job: &Job) -> bool {
        self.mark(job).is_file()
    }

    pub(crate) fn finish(&self, job: &Job) -> anyhow::Result<()> {
        Ok(write_atomic(self.mark(job), b"")?)
    }

    fn mark(&self, job: &Job) -> PathBuf {
        self.join("done").join(job.name())
    }

    pub(crate) fn log(&self, job: &Job) -> PathBuf {
        self.join("logs").join(format!("{}.log", job.name()))
    }

    /// Records what was measured.
    pub(crate) fn record(&self, outcome: &Outcome) -> anyhow::Result<()> {
        let Outcome { student, condition, seed, .. } = outcome;
        let name = format!("{student}-{condition}-{seed}.json");
        Ok(write_json(self.join("outcomes").join(name), outcome)?)
    }

    /// Everything that was measured, in the order of the files' names.
    pub(crate) fn outcomes(&self) -> anyhow::Result<Vec<Outcome>> {
        let folder = self.join("outcomes");
        let mut files = fs::read_dir(&folder)
            .with_context(|| format!("cannot list {}", folder.display()))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()?;
        files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
        files.sort();
        files.iter().map(|file| Ok(read_json(file)?)).collect()
    }

    /// Writes the tables as Markdown, the plots, and everything that was measured in one file.
    pub(crate) fn write_report(&self, report: &Report) -> anyhow::Result<()> {
        let folder = self.join("report");
        fs::create_dir_all(folder.join("experiment"))?;
        write_atomic(folder.join("experiment.md"), report.to_markdown().as_bytes())?;
        write_json(folder.join("outcomes.json"), &self.outcomes()?)?;
        for (name, plot) in report.plots() {
            write_atomic(folder.join("experiment").join(name), plot.as_bytes())?;
        }
        println!("report: {}", folder.join("experiment.md").display());
        Ok(())
    }
}
