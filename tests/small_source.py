"""The source of a lesson with exercises."""

NAME = "01_small"
SOURCE = '''\
# %% [markdown]
# # 01 · Small

# %% tags=["parameters"]
student: str = ""  # your name

# %%
import numpy as np

from ivdlib.course import exercises

mask = np.eye(4) > 0

# %% [markdown]
# ## Exercise 1 (2 minutes)
#
# How many voxels has the mask?
#
# Hint: a sum.

# %% tags=["solution"]
size = mask.size  # stands outside the marks
### BEGIN SOLUTION
as_numbers = mask.astype(int)
answer = as_numbers.sum()
### END SOLUTION

# %% tags=["test"] points=2
exercises.check(answer, np.count_nonzero(mask), hint="a mask can be summed")

# %% [markdown]
# ## Exercise 2 (5 minutes)
#
# Write the Dice overlap.
#
# Hint: `&`.

# %% tags=["solution"]
def overlap(a, b):
    """Dice of two masks."""
    ### BEGIN SOLUTION
    both = (a & b).sum()
    value = 2 * both / (a.sum() + b.sum())
    ### END SOLUTION
    return value


# %% tags=["test"] points=3
exercises.check(overlap(mask, ~mask), 0.0)
exercises.check(overlap(mask, mask), 1.0)

# %% [markdown]
# ## Exercise 3 (5 minutes)
#
# Why may a test patient choose nothing?
#
# Hint: whose score is it?

# %% [markdown] tags=["written"] points=4
# ### BEGIN SOLUTION
# Because the score would be **too good**.
# ### END SOLUTION

# %% [markdown]
# ## What we have done

# %%
print("to the end")
'''
