"""`make demo`: the whole loop on real images, with people who know the truth and sometimes err."""
