//! Ways to find cohorts: in what, and how. The one place here that knows them by name.

use anyhow::{Context, Result};
use kohort_cohorts::communities::{LabelPropagation, Leiden, Louvain, Spectral, components};
use kohort_cohorts::graph::{Bipartite, Graph, Nearest};
use kohort_cohorts::{KMeansConfig, Points};

use super::settings::Settings;
use super::worlds::{Scene, Vectors, World};

/// What cohorts are found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ground {
    /// Who is whose friend.
    Friends,
    /// Who took the same: each user's nearest by cosine.
    Shared,
    /// An SVD of what was taken.
    Vectors,
    /// LightGCN's embeddings.
    Embeddings,
}

/// How.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Components,
    LabelPropagation,
    Louvain,
    Leiden,
    Spectral,
    KMeans,
}

/// A way to find cohorts.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    /// Name in cells.
    pub(crate) name: &'static str,
    /// Name in rows and tables.
    pub(crate) title: String,
    /// In what.
    pub(crate) ground: Ground,
    /// How.
    pub(crate) how: How,
}

/// What a method found.
pub(crate) struct Found {
    /// Cohort of each user among those asked about.
    pub(crate) labels: Vec<u32>,
    /// The graph it was found in.
    pub(crate) graph: Option<Graph>,
}

/// Users at hand, and their vectors if a method wants some.
pub(crate) struct Material<'a> {
    pub(crate) scene: &'a Scene,
    pub(crate) settings: &'a Settings,
    /// Communities that methods are asked for which want to know.
    clusters: usize,
    vectors: Option<Vectors>,
}

impl Method {
    /// What it needs of a seed.
    pub(crate) fn material<'a>(
        &self,
        world: &World,
        scene: &'a Scene,
        settings: &'a Settings,
        seed: u64,
    ) -> Result<Material<'a>> {
        let vectors = match self.ground {
            Ground::Friends | Ground::Shared => None,
            Ground::Vectors => {
                let own = world.vectors(seed, settings)?;
                Some(Vectors { values: own.values.clone(), width: own.width })
            }
            Ground::Embeddings => Some(world.embeddings(seed)?),
        };
        Ok(Material { scene, settings, clusters: settings.clusters(world.experiment)?, vectors })
    }

    /// Cohorts of some of those present, given by their places, ascending.
    pub(crate) fn find(&self, material: &Material<'_>, among: &[u32], seed: u64) -> Result<Found> {
        if self.how == How::KMeans {
            let (values, width) = material.rows(among)?;
            let config = KMeansConfig { seed, ..KMeansConfig::new(material.clusters) };
            return Ok(Found { labels: config.fit(&Points::new(&values, width)?)?.labels, graph: None });
        }
        let graph = material.graph(self.ground, among)?;
        let found = match self.how {
            How::Components => components(&graph),
            How::LabelPropagation => LabelPropagation { seed, ..LabelPropagation::default() }.fit(&graph)?,
            How::Louvain => Louvain { seed, ..Louvain::default() }.fit(&graph)?,
            How::Leiden | How::KMeans => Leiden { seed, ..Leiden::default() }.fit(&graph)?,
            How::Spectral => Spectral { seed, ..Spectral::new(material.clusters) }.fit(&graph)?,
        };
        Ok(Found { labels: found.labels, graph: Some(graph) })
    }
}

impl Material<'_> {
    /// All those present.
    pub(crate) fn everybody(&self) -> Vec<u32> {
        (0..self.scene.present.len() as u32).collect()
    }

    /// Vectors of some, one after the other.
    fn rows(&self, among: &[u32]) -> Result<(Vec<f32>, usize)> {
        let Vectors { values, width } = self.vectors.as_ref().context("there are no vectors")?;
        let of = |&place: &u32| values[place as usize * width..][..*width].iter().copied();
        Ok((among.iter().flat_map(of).collect(), *width))
    }

    fn graph(&self, ground: Ground, among: &[u32]) -> Result<Graph> {
        let scene = self.scene;
        let mut place = vec![None; scene.present.len()];
        (0u32..).zip(among).for_each(|(new, &old)| place[old as usize] = Some(new));
        match ground {
            Ground::Friends => {
                let mut of_user = vec![None; scene.users];
                scene.present.iter().zip(&place).for_each(|(&user, &place)| of_user[user as usize] = place);
                let pairs: Vec<(u32, u32)> = scene
                    .friends
                    .iter()
                    .filter_map(|&(a, b)| Some((of_user[a as usize]?, of_user[b as usize]?)))
                    .collect();
                Ok(Graph::simple(among.len(), pairs)?)
            }
            Ground::Shared => {
                let taken =
                    scene.taken.iter().filter_map(|&(user, item)| Some((place[user as usize]?, item)));
                let (user, item): (Vec<u32>, Vec<u32>) = taken.unzip();
                let taken = Bipartite::new(among.len(), scene.items, &user, &item, None)?;
                Ok(self.settings.projection().graph(&taken)?)
            }
            Ground::Vectors | Ground::Embeddings => {
                let (values, width) = self.rows(among)?;
                Ok(Nearest { neighbours: self.settings.neighbours, ..Nearest::default() }
                    .graph(&Points::new(&values, width)?)?)
            }
        }
    }
}
