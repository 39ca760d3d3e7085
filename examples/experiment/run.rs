//! Runs one part of an experiment, in a process of its own.

use crate::folder::Folder;
use crate::job::Job;
use crate::settings::Settings;
use crate::{data, measure, rows, steps, train};

/// Does a job, or continues it.
pub(crate) fn run(job: &Job, settings: &Settings, folder: &Folder) -> anyhow::Result<()> {
    match *job {
        Job::Measured => data::write_measured(settings, folder)?,
        Job::Pictures(seed) => data::write_pictures(settings, folder, seed)?,
        Job::Base(student) => train::base(settings, folder, student)?,
        Job::Vigc(seed) => train::vigc(settings, folder, seed)?,
        Job::Rows(seed) => rows::write(folder, seed)?,
        Job::Steps(seed) => steps::measure(settings, folder, seed)?,
        Job::Finetune(finetune) => {
            train::finetune(settings, folder, finetune)?;
            measure::finetuned(settings, folder, finetune)?;
        }
    }
    folder.finish(job)
}
