//! Samples beside their pictures.

use maud::{Markup, html};

use crate::report::picture::{Picture, address};
use crate::report::{Report, Sample, SampleImage};

/// Most samples of a page.
const SAMPLES: usize = 50;

/// The worst samples, worst first.
pub(super) fn list(report: &Report) -> Markup {
    let samples = report.worst_samples();
    let shown = samples.len().min(SAMPLES);
    html! {
        @if shown < samples.len() {
            p { "The " (shown) " worst of " (samples.len()) "." }
        }
        ol class="samples" { @for sample in &samples[..shown] { (item(sample)) } }
    }
}

fn item(sample: &Sample) -> Markup {
    let texts = [
        ("Question", &sample.question),
        ("Expected", &sample.expected),
        ("Answer", &sample.answer),
        ("Note", &sample.note),
    ];
    html! {
        li class=(if sample.image.is_some() { "sample" } else { "sample alone" }) {
            @if let Some(image) = &sample.image { (picture(sample, image)) }
            div {
                h3 { (sample.id) span class="score" { "score " (format!("{:.2}", sample.score)) } }
                dl {
                    @for (name, text) in texts {
                        @if name == "Answer" || !text.is_empty() {
                            dt { (name) }
                            dd class=[(name == "Answer").then_some("answer")] tabindex=[is_long(text).then_some("0")] {
                                @if text.trim().is_empty() { span class="empty" { "nothing" } } @else { (text) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Whether a text may have to be scrolled, which keys should do as well.
fn is_long(text: &str) -> bool {
    text.len() > 600
}

fn picture(sample: &Sample, image: &SampleImage) -> Markup {
    match address(image) {
        Ok(Picture { address, width, height }) => html! {
            div { img src=(address) width=(width) height=(height) alt={ "The picture of " (sample.id) } loading="lazy"; }
        },
        Err(reason) => html! {
            div { p class="missing" { "No picture: " (missing(image, &reason)) } }
        },
    }
}

/// Which file could not be read, and why.
fn missing(image: &SampleImage, reason: &str) -> String {
    match image {
        SampleImage::File(path) if !reason.contains(&*path.to_string_lossy()) => {
            format!("{}: {reason}", path.display())
        }
        SampleImage::File(_) | SampleImage::Encoded(_) => reason.to_owned(),
    }
}
