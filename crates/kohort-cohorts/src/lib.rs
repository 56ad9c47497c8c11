//! Finding cohorts and keeping them: deterministic parallel KMeans, stable ids, assigners for new users
