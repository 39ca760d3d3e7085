//! Jobs side by side: small models keep one core busy each, and two of them less well.

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::Args;
use crate::folder::Folder;
use crate::job::Job;
use crate::settings::Settings;

/// How often is looked whether a job has ended.
const PAUSE: Duration = Duration::from_millis(300);

struct Running {
    job: Job,
    child: Child,
    begun: Instant,
}

/// Runs what is not finished yet.
pub(crate) fn run(args: &Args, settings: &Settings, folder: &Folder) -> anyhow::Result<()> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let workers = args.workers.unwrap_or(cores).max(1);
    let mut left = Job::all(settings);
    let total = left.len();
    left.retain(|job| !folder.is_done(job));
    let bar = progress_bar(total, total - left.len())?;
    let mut running: Vec<Running> = Vec::new();
    while !left.is_empty() || !running.is_empty() {
        while running.len() < workers
            && let Some(at) = left.iter().position(|job| is_ready(job, folder))
        {
            let job = left.remove(at);
            let child = start(args, folder, &job, (cores / workers).max(1))?;
            running.push(Running { job, child, begun: Instant::now() });
        }
        let names: Vec<_> = running.iter().map(|running| running.job.name()).collect();
        bar.set_message(names.join(", "));
        thread::sleep(PAUSE);
        let (ended, rest) = ended(running)?;
        running = rest;
        for Running { job, begun, .. } in ended {
            if !folder.is_done(&job) {
                stop(&mut running);
                bail!("{} failed; see {}", job.name(), folder.log(&job).display());
            }
            bar.suspend(|| println!("{:>7.1} s  {}", begun.elapsed().as_secs_f64(), job.name()));
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(())
}

fn is_ready(job: &Job, folder: &Folder) -> bool {
    job.needs().iter().all(|needed| folder.is_done(needed))
}

fn start(args: &Args, folder: &Folder, job: &Job, threads: usize) -> anyhow::Result<Child> {
    let log = folder.log(job);
    let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let program = std::env::current_exe().context("cannot find the program itself")?;
    let child = Command::new(program)
        .arg("--settings")
        .arg(&args.settings)
        .arg("--out")
        .arg(&args.out)
        .args(["--job", &job.name()])
        .env("RAYON_NUM_THREADS", threads.to_string())
        // The C library otherwise returns every large tensor to the system.
        .env("MALLOC_MMAP_THRESHOLD_", "1073741824")
        .env("MALLOC_TRIM_THRESHOLD_", "8589934592")
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn();
    child.with_context(|| format!("cannot start {}", job.name()))
}

/// Those that have ended, and the others.
fn ended(running: Vec<Running>) -> anyhow::Result<(Vec<Running>, Vec<Running>)> {
    let (mut ended, mut rest) = (Vec::new(), Vec::new());
    for mut running in running {
        match running.child.try_wait()? {
            Some(_) => ended.push(running),
            None => rest.push(running),
        }
    }
    Ok((ended, rest))
}

/// Ends the jobs that run: they go on where they were when the experiment does.
fn stop(running: &mut [Running]) {
    for Running { child, .. } in running {
        // One that has ended by itself needs no more.
        _ = child.kill();
        _ = child.wait();
    }
}

fn progress_bar(total: usize, done: usize) -> anyhow::Result<ProgressBar> {
    let template = "{bar:24} {pos}/{len} jobs [{elapsed} < {eta}] {msg}";
    let bar = ProgressBar::new(total as u64).with_style(ProgressStyle::with_template(template)?);
    bar.set_position(done as u64);
    bar.reset_eta();
    bar.enable_steady_tick(Duration::from_secs(1));
    Ok(bar)
}
