//! What `cargo bench` at the root of the workspace runs; `README.md` beside it says how to read it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a bench talks to the terminal")]

use std::io::{Write, stderr};
use std::process::ExitCode;

use clap::Parser;
use vigc_benches::suite::{Settings, run};

fn main() -> ExitCode {
    let report = run(&Settings::parse(), &mut |text| {
        eprint!("{text}");
        // A line that waits for its figure is shown at once; without a terminal nothing is lost.
        let _ = stderr().flush();
    });
    let report = match report {
        Ok(report) => report,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("\n{report}");
    match report.failures() {
        0 => ExitCode::SUCCESS,
        failures => {
            eprintln!("error: {failures} of {} figures failed", report.rows.len());
            ExitCode::FAILURE
        }
    }
}
