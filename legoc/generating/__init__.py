"""Text that language models write about items and users before anything is trained (GENRE).

`tasks` and `writers` declare what may be asked and who answers; `subjects` says what a task reads,
`prompts` and `replies` how it is asked and what an answer means; `local` and `api` are the models;
`journal` keeps every answer, `generate` does the work, `published` writes the published forms.
"""
