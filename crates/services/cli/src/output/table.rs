//! Columns aligned with blanks, by the rules of Go's `text/tabwriter`: a cell ends with a tab; a column is a run of
//! lines that have that cell; what follows the last tab of a line is no cell and is not aligned.

/// Lines collected to be aligned together.
pub(crate) struct Table {
    minimum: usize,
    padding: usize,
    text: String,
}

impl Table {
    /// Columns as wide as their widest cell and two blanks.
    pub(crate) fn new() -> Self {
        Self::with_minimum(0)
    }

    /// Columns at least `minimum` wide.
    pub(crate) fn with_minimum(minimum: usize) -> Self {
        Self { minimum, padding: 2, text: String::new() }
    }

    /// Columns as wide as their widest cell and that many blanks.
    pub(crate) fn with_padding(padding: usize) -> Self {
        Self { padding, ..Self::new() }
    }

    /// Adds a line whose last part is not a cell.
    pub(crate) fn row(&mut self, cells: &[&str]) {
        self.text += &cells.join("\t");
        self.text.push('\n');
    }

    /// The aligned text.
    pub(crate) fn finish(self) -> String {
        let lines: Vec<Vec<&str>> = self.text.lines().map(|line| line.split('\t').collect()).collect();
        let mut widths: Vec<Vec<usize>> = lines.iter().map(|cells| vec![0; cells.len() - 1]).collect();
        self.measure(&lines, &mut widths);
        let mut text = String::new();
        for (cells, widths) in lines.iter().zip(&widths) {
            for (cell, width) in cells.iter().zip(widths) {
                text += cell;
                text.extend(std::iter::repeat_n(' ', width - cell.chars().count()));
            }
            text += cells.last().copied().unwrap_or_default();
            text.push('\n');
        }
        text
    }

    fn measure(&self, lines: &[Vec<&str>], widths: &mut [Vec<usize>]) {
        let columns = widths.iter().map(Vec::len).max().unwrap_or(0);
        for column in 0..columns {
            let mut start = 0;
            while start < lines.len() {
                let end =
                    (start..lines.len()).find(|line| widths[*line].len() <= column).unwrap_or(lines.len());
                let widest =
                    lines[start..end].iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
                let width = (widest + self.padding).max(self.minimum);
                for line in &mut widths[start..end] {
                    line[column] = width;
                }
                start = end.max(start) + 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn columns_end_where_a_line_has_no_such_cell() {
        let mut table = Table::new();
        table.row(&["SOURCE", "x"]);
        table.row(&["ID", "DATE", "REVISION"]);
        table.row(&["0", "yesterday", "abc"]);
        assert_eq!(table.finish(), "SOURCE  x\nID      DATE       REVISION\n0       yesterday  abc\n");
    }

    #[test]
    fn trailing_empty_cells_keep_the_blanks_of_the_column_before() {
        let mut table = Table::new();
        table.row(&["A", "B", "C"]);
        table.row(&["1", "", ""]);
        assert_eq!(table.finish(), "A  B  C\n1     \n");
    }
}
