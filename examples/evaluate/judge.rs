//! What a judge says of answers: asked now, or read from a file.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use vigc_eval::judge::{ApiKey, Endpoint, Journal, Judge};
use vigc_eval::llava_bench::{
    JUDGE_MODEL, LlavaBench, Review, judge_parameters, read_reviews, write_reviews,
};

use crate::benchmark::Benchmark;

/// Times that a reply without marks is asked for again.
const REPEATS: u32 = 2;

/// Who judges.
#[derive(Args, Debug)]
pub(crate) struct JudgeArgs {
    /// llava-bench: an OpenAI-compatible endpoint with its version
    #[arg(long, value_name = "https://HOST/v1")]
    judge_url: Option<String>,
    /// llava-bench: the judge; marks of different judges cannot be compared
    #[arg(long, value_name = "NAME", default_value = JUDGE_MODEL)]
    judge_model: String,
    /// llava-bench: the environment variable that holds the endpoint's key; none is sent if it is not set
    #[arg(long, value_name = "VARIABLE", default_value = "OPENAI_API_KEY")]
    judge_key: String,
    /// llava-bench: most requests a minute
    #[arg(long, value_name = "N")]
    judge_rate: Option<u32>,
    /// llava-bench: where replies are recorded; what is on record is not asked again
    #[arg(long, value_name = "FILE.jsonl", default_value = "judge.jsonl")]
    judge_record: PathBuf,
    /// llava-bench: judgements, read if no endpoint is given, else written
    #[arg(long, value_name = "FILE.jsonl")]
    reviews: Option<PathBuf>,
}

/// The judgements of answers, where the benchmark has any.
pub(crate) fn reviews(
    args: &JudgeArgs,
    benchmark: &Benchmark,
    answers: &HashMap<String, String>,
) -> anyhow::Result<Option<Vec<Review>>> {
    let Benchmark::Llava(suite) = benchmark else { return Ok(None) };
    let Some(url) = &args.judge_url else {
        return Ok(args.reviews.as_ref().map(read_reviews).transpose()?);
    };
    let reviews = ask(args, url, suite, answers)?;
    if let Some(path) = &args.reviews {
        write_reviews(path, &reviews)?;
    }
    Ok(Some(reviews))
}

fn ask(
    args: &JudgeArgs,
    url: &str,
    suite: &LlavaBench,
    answers: &HashMap<String, String>,
) -> anyhow::Result<Vec<Review>> {
    let mut endpoint = Endpoint::new(url)?;
    if std::env::var_os(&args.judge_key).is_some() {
        endpoint = endpoint.with_key(ApiKey::from_env(&args.judge_key)?);
    }
    let mut judge = Judge::new(endpoint, judge_parameters(&args.judge_model));
    if let Some(rate) = args.judge_rate {
        judge = judge.with_requests_per_minute(rate);
    }
    let mut journal = Journal::open(&args.judge_record)
        .with_context(|| format!("cannot go on with {}", args.judge_record.display()))?;
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
        "{bar:40} {pos}/{len} judgements, {per_sec}, {eta} left",
    )?);
    let judged = suite.judge(&judge, answers, REPEATS, &mut journal, &mut |progress| {
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
    });
    bar.finish_and_clear();
    let judged = judged?;
    for (id, failure) in &judged.failures {
        println!("question {id} was not judged: {}", failure.problem);
    }
    Ok(judged.reviews)
}
