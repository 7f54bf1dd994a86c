"""The lessons: run, handed out and in, graded; the widgets and checks that they use."""
