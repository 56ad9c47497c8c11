//! What departs from the paper.

/// One remark each.
pub(super) const DEPARTURES: [&str; 8] = [
    "The paper states neither split, relevance threshold, candidates, denominator nor what becomes of users without a \
     relevant item. Each reading is a protocol of its own here, and only one is compared with the published pair.",
    "Besides the paper's inputs DMTL is given the neighbourhood of each query: kernel-weighted means of what else the user \
     and the item's other raters thought, from training rows only, and the user's and item's histories. The line “DMTL (paper's \
     inputs only)” is a setting of its own with nothing but ids and side features and a linear rating head, sizes and \
     training chosen for it on validation rows of MovieLens-100K (configs/dmtl-paper.toml).",
    "Where a data set has times, DMTL knows when a rating is asked for; on random splits it then sees training \
     ratings given before and after it, as all systems here learn from later ratings. The baselines do not use times. The \
     line “DMTL (without times)” is without them.",
    "The paper gives no size, optimiser, number of epochs or λ. Ours are in manifest.json; they were chosen on validation \
     rows inside training parts, and the test parts were only scored.",
    "Repeated (user, item) pairs (432 rows of ITM-Rec) are merged by their mean before the split; otherwise a test pair \
     could also be a training pair. On merged rows the published ITM-Rec pair asks for about 47 % held out, on \
     unmerged rows for about 44 %.",
    "Groups come from KMeans on training ratings alone (8 groups, k-means++, 10 restarts, standardised profile of \
     damped mean, log count, share of liked items and taste per genre). The paper says only “KMeans”. The labels of a \
     fifth of the users are hidden from training, so that naming groups can be judged.",
    "Baselines have the default settings of scikit-surprise, not tuned ones; the paper does not state its own.",
    "Models are given a copy of the data set from which every rating was removed, beside their training rows: nothing \
     that is fitted can read a held-out rating.",
];
