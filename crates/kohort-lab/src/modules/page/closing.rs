//! What departs from the papers.

/// One remark each.
pub(super) const DEPARTURES: [&str; 6] = [
    "Census-Income: only the official test half can be had here; it is cut in three. The papers learn from the training half, tune over thousands \
     of trials and report the mean of 400 retrainings. Columns of education and marital status are no inputs; those of the household all but spell \
     “never married”, as in the papers.",
    "Adapters are put on a shared bottom that learned from all rows first and is then frozen, towers included. The papers' bases are language models \
     or networks pre-trained elsewhere. “One LoRA for all” has the same further steps and no cohort: what adapters gain over it is the \
     cohorts' doing.",
    "iLoRA's gate reads what a small SASRec makes of the films rated before on MovieLens, and the encoded row elsewhere, where rows have no sequence.",
    "Penalties on the balance of experts are off: the monitor names what is wrong, and nothing is hidden by a penalty.",
    "XMarket has no second label that all rows know: whether an item pleases is known of taken items only. Negatives are drawn from what the \
     user took in no part of the user's market, each equally likely, one a positive, anew for each seed; a pair stays in one part. Popularity alone \
     tells much of “takes”.",
    "MMoE's synthetic experiment: rows, batch, epochs and runs are ours (the paper has 200 runs for each setting and states neither rows nor steps nor \
     c, m, α, β; the latter are the PLE paper's). Each model has one rate for all cosines, so that no loss between cosines is one of the rate.",
];
