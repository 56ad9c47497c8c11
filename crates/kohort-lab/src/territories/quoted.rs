//! What others published on XMarket Electronics: nDCG@10 of a user's last item among 99 titles of the market.
//!
//! Source: the results notebook of S. Bhargav, M. Aliannejadi and E. Kanoulas, "Market-Aware Models for Efficient
//! Cross-Market Recommendation", ECIR 2023 (repository samarthbhargav/efficient-xmrec). Rows "global" were trained with the
//! large US market, which has no copy that could be had here.

use kohort_report::Row;

use super::experiments::published;
use super::measure::SAMPLED;
use super::measure::sampled::NDCG;

/// The markets in the order of the columns below.
pub(crate) const MARKETS: [&str; 7] = ["de", "jp", "in", "fr", "ca", "mx", "uk"];

/// Name and nDCG@10 by market.
pub(crate) const ROWS: [(&str, [f64; 7]); 6] = [
    ("GMF, one market", [0.2574, 0.0823, 0.0511, 0.2502, 0.2566, 0.5066, 0.4136]),
    ("MLP, one market", [0.2986, 0.1340, 0.4506, 0.2869, 0.2934, 0.5367, 0.4465]),
    ("NMF, one market", [0.3214, 0.1717, 0.4265, 0.3014, 0.2848, 0.5430, 0.4488]),
    ("NMF++, all markets and US", [0.3262, 0.1930, 0.4796, 0.3030, 0.2851, 0.5340, 0.4476]),
    ("MA-NMF++, all markets and US", [0.3442, 0.2212, 0.4602, 0.3052, 0.3112, 0.5536, 0.4604]),
    ("FOREC, all markets and US", [0.3249, 0.1956, 0.4778, 0.3033, 0.2947, 0.5409, 0.4474]),
];

/// The mean over the markets that the ranker is to reach.
pub(crate) const WANTED_MEAN: f64 = 0.44;

/// The best published value of a market.
pub(crate) fn best(market: &str) -> Option<f64> {
    let at = MARKETS.iter().position(|known| *known == market)?;
    ROWS.iter().map(|(_, values)| values[at]).reduce(f64::max)
}

/// Mean over the markets of the best published values.
pub(crate) fn best_mean() -> f64 {
    MARKETS.iter().filter_map(|market| best(market)).sum::<f64>() / MARKETS.len() as f64
}

/// The published rows for `results.json`: no number of this run, so no mean.
pub(crate) fn rows(dataset: &str) -> Vec<Row> {
    let quote = |(system, values): &(&str, [f64; 7])| -> Vec<Row> {
        let row = |(market, value): (&&str, &f64)| {
            let mut row = Row::new(published::NAME, dataset, NDCG)
                .protocol(SAMPLED)
                .system(format!("{system} (quoted)"))
                .task("ranking")
                .cohort(*market)
                .published(*value);
            row.reason = Some("quoted from the ECIR 2023 paper's results, not run here".to_owned());
            row
        };
        MARKETS.iter().zip(values).map(row).collect()
    };
    ROWS.iter().flat_map(quote).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_published_values_are_those_of_the_strongest_row_a_market() {
        assert_eq!(best("in"), Some(0.4796));
        assert_eq!(best("uk"), Some(0.4604));
        assert_eq!(best("us"), None);
        assert!((best_mean() - 0.3822).abs() < 5e-5);
    }
}
