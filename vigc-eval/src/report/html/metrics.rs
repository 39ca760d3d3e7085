//! The numbers that a suite is known by, large.

use maud::{Markup, html};

use crate::interval::Estimate;
use crate::report::number::Style;
use crate::report::{Metric, Unit};

pub(in crate::report) fn cards(metrics: &[Metric]) -> Markup {
    html! {
        @if !metrics.is_empty() {
            dl class="metrics" {
                @for metric in metrics { div { (card(metric)) } }
            }
        }
    }
}

fn card(metric: &Metric) -> Markup {
    let parts = Style::of(metric.unit, [&metric.estimate]).signed().parts(&metric.estimate);
    html! {
        dt { (metric.name) }
        dd {
            div class="value" { (parts.value) }
            @if let Some([low, high]) = parts.interval {
                div class="interval" { (low) " to " (high) }
            }
            @if metric.unit == Unit::Share { (gauge(&metric.estimate)) }
        }
    }
}

/// A share with its interval between nothing and everything.
fn gauge(share: &Estimate) -> Markup {
    let percent = |share: f64| format!("{:.1}%", share.clamp(0.0, 1.0) * 100.0);
    html! {
        @if let Some(value) = share.value {
            svg class="gauge" aria-hidden="true" {
                rect class="track" y="3" width="100%" height="4" rx="2" {}
                @if let Some((low, high)) = share.low.zip(share.high) {
                    rect class="part" x=(percent(low)) y="1" width=(percent(high - low)) height="8" rx="4" {}
                }
                circle class="point" cx=(percent(value)) cy="5" r="4" {}
            }
        }
    }
}
