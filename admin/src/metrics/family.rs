//! One metric and its series, as the encoder wants them.

use std::fmt;

use prometheus_client::encoding::{
    DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

/// The labels of a series.
pub(super) type Labels = Vec<(&'static str, String)>;

/// What there is to say of a metric.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    /// Without prefix, unit and `_total`.
    pub(super) name: &'static str,
    /// In one sentence.
    pub(super) help: &'static str,
    /// Of the values.
    pub(super) unit: Option<&'static Unit>,
}

/// A histogram at rest: what lies below each bound, and in all.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Buckets {
    /// The sum of all samples.
    pub(super) sum: f64,
    /// How many samples lie in each, by upper bound; the last bound is infinite.
    pub(super) buckets: Vec<(f64, u64)>,
}

/// Writes a metric that only grows.
pub(super) fn counter<V: EncodeCounterValue>(
    encoder: &mut DescriptorEncoder<'_>,
    told: Told,
    series: impl IntoIterator<Item = (Labels, V)>,
) -> fmt::Result {
    let Told { name, help, unit } = told;
    let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Counter)?;
    for (labels, value) in series {
        if labels.is_empty() {
            family.encode_counter::<NoLabelSet, V, u64>(&value, None)?;
        } else {
            let mut one = family.encode_family(&labels)?;
            one.encode_counter::<NoLabelSet, V, u64>(&value, None)?;
        }
    }
    Ok(())
}

/// Writes a metric that goes up and down.
pub(super) fn gauge<V: EncodeGaugeValue>(
    encoder: &mut DescriptorEncoder<'_>,
    told: Told,
    series: impl IntoIterator<Item = (Labels, V)>,
) -> fmt::Result {
    let Told { name, help, unit } = told;
    let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
    for (labels, value) in series {
        if labels.is_empty() {
            family.encode_gauge(&value)?;
        } else {
            family.encode_family(&labels)?.encode_gauge(&value)?;
        }
    }
    Ok(())
}

/// Writes a histogram.
pub(super) fn histogram(
    encoder: &mut DescriptorEncoder<'_>,
    told: Told,
    found: &Buckets,
) -> fmt::Result {
    let Told { name, help, unit } = told;
    let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Histogram)?;
    let count = found.buckets.iter().map(|(_, count)| count).sum();
    family.encode_histogram::<NoLabelSet>(found.sum, count, &found.buckets, None)
}

/// Writes what only has labels.
pub(super) fn info(
    encoder: &mut DescriptorEncoder<'_>,
    told: Told,
    labels: &Labels,
) -> fmt::Result {
    let Told { name, help, unit } = told;
    let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Info)?;
    family.encode_info(labels)
}
