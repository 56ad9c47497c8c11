//! What departs from what others do, and what is missing.

/// One remark each.
pub(super) const DEPARTURES: [&str; 7] = [
    "LightGCN: an epoch goes over each training row once, where the paper's code draws as many users with replacement; Last.fm's split is ours, and no \
     published figure was found for it.",
    "LightGCN with friendships follows NAH-GNN as far as it is known: equations and sizes could not be had, so neighbours weigh by degrees, far hops are views of \
     their own, and one attention weighs all views; its data (BeiBei, Tmall) are not repeated.",
    "Stability of methods on vectors and embeddings repeats the clustering, not the training of what is clustered.",
    "On Twitch users of the validation and test part are placed by their friends, or for cohorts of games and habits by their nearest of all users, \
     whose targets nobody sees. Who is tied to no cohort has none.",
    "The cohort of a training row's user was found with that row among the others, so it tells a little more of training rows than of test rows. That can only \
     cost a model; nothing of a test row is seen by anybody.",
    "Models' settings are those of the comparison of modules, chosen for a shared bottom; nothing was tuned for cohorts. Last.fm has XMarket's.",
    "Negatives on Last.fm and XMarket are drawn evenly, so that popularity alone tells much of “takes”.",
];
