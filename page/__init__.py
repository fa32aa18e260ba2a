"""The page's tabs: the drawing, as pure functions from values to HTML, and the wiring of each tab."""
