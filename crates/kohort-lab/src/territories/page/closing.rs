//! What departs from the paper.

/// One remark each.
pub(super) const DEPARTURES: [&str; 8] = [
    "The paper's data (more than 200 territories of a video service, ten million users) are private and no code is public. \
     XMarket Electronics stands in: seven national markets with shared title ids. Its positives are ratings of any value, not starts of a \
     stream, and its negatives are drawn, not shown.",
    "The paper's 512-d user vectors (a ResNet-style model) and 768-d title vectors (BERT) do not exist for these data. Both come from a \
     truncated singular value decomposition of the training rows; a user is folded in from the own history without the row that is learned, but \
     the decomposition itself has seen every training row. Vectors of one's own can be read from .npy, safetensors and Parquet files.",
    "Layers, widths, optimiser, learning rate, batch, epochs, negatives, temperature: none is in the paper. Ours are in \
     manifest.json and were chosen on validation rows; the test part was only scored.",
    "Who is active, how many are added and from where is not in the paper. Here: the users of a territory with the most training rows, \
     with quotas, disjoint from the random sample, no row twice. All variants are in the experiment “grouping”.",
    "The composition of the paper's four groups is not published. Groups are made by rule, by size or by viewing pattern; the tables say who \
     is with whom and why.",
    "Repeated (user, item) pairs of XMarket are merged to the last one before the split, so that no held-out pair was learned from; the \
     published experiments keep them. Of rows of one day those further down \
     the file are later; there an unstable sort decides. Four customers who buy in two markets are two users each.",
    "The paper does not say what PR-AUC it computes. Here it is average precision over all candidates of a territory's users: one held-out row \
     and 99 sampled negatives each, so its floor, the prevalence, is 0.01.",
    "Input vectors and the samples' histories know all training rows of all users, as vectors that are given do; only the towers learn from the \
     samples.",
];
