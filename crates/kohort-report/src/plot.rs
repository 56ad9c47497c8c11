//! Plots as values: lines with bands, bars with intervals, heat maps, clouds of points, flows. The HTML renderer draws them as SVG.

/// A plot of any kind.
#[derive(Debug, Clone)]
pub enum Plot {
    /// Series over a numeric axis.
    Line(LinePlot),
    /// One value per name.
    Bars(BarPlot),
    /// A matrix of values.
    Heat(HeatMap),
    /// Groups of points in the plane.
    Scatter(ScatterPlot),
    /// How much goes from where to where.
    Flow(FlowPlot),
}

impl Plot {
    /// The title of the plot.
    pub fn title(&self) -> &str {
        match self {
            Self::Line(plot) => &plot.title,
            Self::Bars(plot) => &plot.title,
            Self::Heat(plot) => &plot.title,
            Self::Scatter(plot) => &plot.title,
            Self::Flow(plot) => &plot.title,
        }
    }
}

/// What an axis shows.
#[derive(Debug, Clone, Default)]
pub struct Axis {
    /// The quantity.
    pub label: String,
    /// Its unit, shown in brackets after the label.
    pub unit: Option<String>,
    /// Logarithmic scale; values must be positive, others are left out.
    pub log: bool,
}

impl Axis {
    /// A linear axis without a unit.
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// Adds a unit.
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = Some(unit.into());
        self
    }

    /// Makes the axis logarithmic.
    pub fn log(mut self) -> Self {
        self.log = true;
        self
    }

    pub(crate) fn text(&self) -> String {
        match &self.unit {
            Some(unit) => format!("{} ({unit})", self.label),
            None => self.label.clone(),
        }
    }
}

/// Series over a numeric axis, with bands where points carry intervals.
#[derive(Debug, Clone, Default)]
pub struct LinePlot {
    /// Shown above and used as the accessible name.
    pub title: String,
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// The lines.
    pub series: Vec<Series>,
    /// Horizontal lines to compare with.
    pub references: Vec<Reference>,
}

/// One line.
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// Name in the legend.
    pub name: String,
    /// Points in order of `x`.
    pub points: Vec<Point>,
}

impl Series {
    /// A line without intervals from `(x, y)` pairs.
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let points = points.into_iter().map(|(x, y)| Point { x, y, low: None, high: None }).collect();
        Self { name: name.into(), points }
    }
}

/// A point, with an interval if it has one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Point {
    /// Position on the horizontal axis.
    pub x: f64,
    /// Value.
    pub y: f64,
    /// Lower end of the interval.
    pub low: Option<f64>,
    /// Upper end of the interval.
    pub high: Option<f64>,
}

/// A value to compare with, drawn as a labelled line.
#[derive(Debug, Clone)]
pub struct Reference {
    /// Decides the look of the line.
    pub kind: ReferenceKind,
    /// Text at the line.
    pub label: String,
    /// Where it lies.
    pub value: f64,
}

impl Reference {
    /// A reference line.
    pub fn new(kind: ReferenceKind, label: impl Into<String>, value: f64) -> Self {
        Self { kind, label: label.into(), value }
    }
}

/// What a reference line stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceKind {
    /// What chance gets.
    Floor,
    /// What an oracle gets.
    Ceiling,
    /// The number in the paper.
    Published,
}

impl ReferenceKind {
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Ceiling => "ceiling",
            Self::Published => "published",
        }
    }
}

/// One value per name, on a horizontal axis.
#[derive(Debug, Clone, Default)]
pub struct BarPlot {
    /// Shown above and used as the accessible name.
    pub title: String,
    /// The value axis; always linear.
    pub value: Axis,
    /// Bar from zero, or a dot on a zoomed axis.
    pub mark: Mark,
    /// The bars, from top to bottom.
    pub bars: Vec<Bar>,
    /// Vertical lines to compare with.
    pub references: Vec<Reference>,
}

/// How a value is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mark {
    /// A bar that starts at zero; for ratios and counts.
    #[default]
    Bar,
    /// A dot with its interval on an axis that need not contain zero; for values that lie close together.
    Dot,
}

/// One bar or dot.
#[derive(Debug, Clone, Default)]
pub struct Bar {
    /// Name at the axis.
    pub label: String,
    /// Value.
    pub value: f64,
    /// Lower end of the interval.
    pub low: Option<f64>,
    /// Upper end of the interval.
    pub high: Option<f64>,
    /// The number in the paper for this very bar, drawn as a diamond.
    pub published: Option<f64>,
    /// Drawn in the accent colour.
    pub highlight: bool,
}

/// A matrix of values, `values[row][column]`; `None` is drawn as an empty cell.
#[derive(Debug, Clone, Default)]
pub struct HeatMap {
    /// Shown above and used as the accessible name.
    pub title: String,
    /// What the rows are.
    pub row_axis: Axis,
    /// What the columns are.
    pub column_axis: Axis,
    /// Names of the rows, from top to bottom.
    pub rows: Vec<String>,
    /// Names of the columns, from left to right.
    pub columns: Vec<String>,
    /// `[rows, columns]`.
    pub values: Vec<Vec<Option<f64>>>,
    /// What a value is, with its unit.
    pub legend: Axis,
    /// Value where the colour changes its hue; without it one hue goes from the smallest to the largest value.
    pub center: Option<f64>,
    /// Decimals in the cells.
    pub digits: usize,
}

/// Groups of points in the plane. Of very many points an even selection is drawn, and the plot says so.
#[derive(Debug, Clone, Default)]
pub struct ScatterPlot {
    /// Shown above and used as the accessible name.
    pub title: String,
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// The groups, told apart by colour and, from the ninth on, by shape.
    pub groups: Vec<Cloud>,
}

/// One group of points.
#[derive(Debug, Clone, Default)]
pub struct Cloud {
    /// Name in the legend.
    pub name: String,
    /// `(x, y)` of each point.
    pub points: Vec<(f64, f64)>,
}

impl Cloud {
    /// A group.
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self { name: name.into(), points: points.into_iter().collect() }
    }
}

/// How much goes from where to where, such as users between the cohorts of two fits: what was stands on the left, what is on
/// the right, both in the order of their first appearance, and bands between them are as wide as what goes along them.
#[derive(Debug, Clone, Default)]
pub struct FlowPlot {
    /// Shown above and used as the accessible name.
    pub title: String,
    /// What the left side is.
    pub left: String,
    /// What the right side is.
    pub right: String,
    /// What is counted, with its unit.
    pub amount: Axis,
    /// The bands.
    pub streams: Vec<Stream>,
}

/// One band of a flow.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    /// Name on the left side.
    pub from: String,
    /// Name on the right side.
    pub to: String,
    /// How much; what is not above 0 and finite is not drawn.
    pub amount: f64,
}

impl Stream {
    /// A band.
    pub fn new(from: impl Into<String>, to: impl Into<String>, amount: f64) -> Self {
        Self { from: from.into(), to: to.into(), amount }
    }
}

impl From<LinePlot> for Plot {
    fn from(plot: LinePlot) -> Self {
        Self::Line(plot)
    }
}

impl From<BarPlot> for Plot {
    fn from(plot: BarPlot) -> Self {
        Self::Bars(plot)
    }
}

impl From<HeatMap> for Plot {
    fn from(plot: HeatMap) -> Self {
        Self::Heat(plot)
    }
}

impl From<ScatterPlot> for Plot {
    fn from(plot: ScatterPlot) -> Self {
        Self::Scatter(plot)
    }
}

impl From<FlowPlot> for Plot {
    fn from(plot: FlowPlot) -> Self {
        Self::Flow(plot)
    }
}
