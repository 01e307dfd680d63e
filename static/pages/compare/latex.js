/**
 * A table as LaTeX.
 */

const SPECIAL = {
  "\\": "\\textbackslash{}",
  "&": "\\&",
  "%": "\\%",
  $: "\\$",
  "#": "\\#",
  _: "\\_",
  "{": "\\{",
  "}": "\\}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  γ: "$\\gamma$",
  β: "$\\beta$",
  Δ: "$\\Delta$",
  "−": "$-$",
  "–": "--",
  "·": "$\\cdot$",
  "×": "$\\times$",
  "≥": "$\\geq$",
  "≤": "$\\leq$",
};

const escaped = (text) => [...String(text)].map((letter) => SPECIAL[letter] ?? letter).join("");

/** `numbers`: which columns hold numbers and stand on the right. `link` goes into a comment. */
export function latexTable(titles, rows, numbers, link) {
  const line = (cells) => `  ${cells.map(escaped).join(" & ")} \\\\`;
  return [
    `% ${link.replaceAll("\n", "")}`,
    "% \\usepackage{booktabs}",
    `\\begin{tabular}{${numbers.map((number) => (number ? "r" : "l")).join("")}}`,
    "  \\toprule",
    line(titles),
    "  \\midrule",
    ...rows.map(line),
    "  \\bottomrule",
    "\\end{tabular}",
    "",
  ].join("\n");
}
