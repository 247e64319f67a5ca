"""The model of a spec: one method per exported graph, and the forward pass of training.

Letters: B batch, S clicks, K candidates, L tokens, D width, I any number of items, U distinct
items, P pairs, C vectors of a user.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from legoc.data.batching.batch import Batch
from legoc.model.calibration import Calibration
from legoc.model.embedding import TokenEmbedding
from legoc.model.profile import Profile
from legoc.model.reading import item_texts, pair_texts, user_texts
from legoc.model.tensors import TensorBatch, to_tensors
from legoc_runtime.prompting import Prompt


class Scored(NamedTuple):
    """What a forward pass of training gives: the logits [B, K], and by name what operators add to
    the loss beside what the scores cost, each a scalar."""

    scores: Tensor
    losses: Mapping[str, Tensor]


class Recommender(nn.Module):
    """Content, behavior (or flatten) and predict operators around the shared token embedding.

    It holds no data and reads no file.

    content: None where the flatten operator encodes items too, each as a history of one click.
    words: the token embedding of the flatten operator, where its width is not that of the content.
    layout: what the item encoder reads, "id", "fields", "sequence" or "states". attributes: names
    of the inputs in reading order, for `fields`. reads_clicks: a user is the clicks themselves and
    the predictor reads them with the candidate. calibration: what makes probabilities of scores,
    after all else. reads_user: the user encoder reads the row of the
    user; the behavior operator itself does with `by_user`, and `profile` joins what is known of the
    user to what the operator makes of the clicks. prior: what the moment of a pair adds to its
    score. prompt: what a flatten operator that is a language model reads around clicks and
    candidate; the host lays out the text.
    """

    def __init__(
        self,
        *,
        content: nn.Module | None,
        behavior: nn.Module | None,
        predict: nn.Module,
        tokens: TokenEmbedding | None,
        layout: str,
        attributes: Sequence[str],
        width: int,
        reads_clicks: bool,
        reads_user: bool,
        flatten: nn.Module | None = None,
        words: TokenEmbedding | None = None,
        profile: Profile | None = None,
        by_user: bool | None = None,
        prior: nn.Module | None = None,
        calibration: Calibration | None = None,
        prompt: Prompt | None = None,
    ) -> None:
        super().__init__()
        self.content = content
        self.behavior = behavior
        self.flatten = flatten
        self.predict = predict
        self.tokens = tokens
        self.words = words
        self.layout = layout
        self.attributes = tuple(attributes)
        self.width = width
        self.reads_clicks = reads_clicks
        self.reads_user = reads_user
        self.profile = profile
        self.prior = prior
        self.by_user = reads_user if by_user is None else by_user
        self.calibration = calibration
        self.prompt = prompt

    @property
    def reads_pairs(self) -> bool:
        """Whether each pair is one text, of which nothing belongs to the user alone."""
        return getattr(self.flatten, "asked", None) is not None

    @property
    def device(self) -> torch.device:
        # Weights that were let go of are nowhere.
        held = (p.device for p in self.parameters() if not p.is_meta)
        return next(held, torch.device("cpu"))

    def encode_items(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Item inputs by name -> [I, D].

        `item` int[I]; or for each attribute `<name>` int[I, L_a] and `<name>_mask` Bool[I, L_a]; or
        `tokens` int[I, L] and `tokens_mask` Bool[I, L]; or, of a content operator with a frozen
        part, what that part made of the items, `states` and `states_mask`.
        """
        if self.prompt is not None:
            return self.flatten(*item_texts(self.prompt, inputs["tokens"], inputs["tokens_mask"]))
        if self.content is None:
            tokens_I1L, mask_I1L = inputs["tokens"].unsqueeze(1), inputs["tokens_mask"].unsqueeze(1)
            return self.encode_tokens(tokens_I1L, mask_I1L)
        if self.layout == "id":
            return self.content(inputs["item"])
        if self.layout == "fields":  # before the others: attributes have any names
            x = [inputs[name] for name in self.attributes]
            if self.tokens is not None:
                x = [self.tokens(ids) for ids in x]
            return self.content(x, [inputs[f"{name}_mask"] for name in self.attributes])
        if "states" in inputs:
            return self.content.finish(inputs["states"], inputs["states_mask"])
        if self.tokens is None:
            return self.content(inputs["tokens"], inputs["tokens_mask"])
        return self.content(self.tokens(inputs["tokens"]), inputs["tokens_mask"])

    def encode_users(
        self,
        clicks_BSD: Tensor,
        mask_BS: Tensor,
        users_B: Tensor | None = None,
        values: Sequence[tuple[Tensor, Tensor]] | None = None,
    ) -> Tensor:
        """Click vectors [B, S, D], Bool[B, S] -> [B, D], [B, C, D], or the clicks [B, S, D] where
        the predictor reads those. `users_B` are rows of the user table, for encoders that read
        them; `values` are what is known of the users, that of those rows unless given. A flatten
        operator reads token ids int[B, S, L] and Bool[B, S, L] instead, a language model whole
        texts int[B, N] and Bool[B, N], of which it makes [B, D] or [B, N, W]."""
        made = self.encode_clicks(clicks_BSD, mask_BS, users_B)
        return self.with_profile(made, users_B, values)

    def encode_clicks(
        self, clicks_BSD: Tensor, mask_BS: Tensor, users_B: Tensor | None = None
    ) -> Tensor:
        """What the clicks alone make of the users: `encode_users` before the profile."""
        if self.prompt is not None:
            return self.flatten(clicks_BSD, mask_BS)
        if self.flatten is not None:
            return self.encode_tokens(clicks_BSD, mask_BS)
        if self.by_user:
            return self.behavior(clicks_BSD, mask_BS, users_B)
        return self.behavior(clicks_BSD, mask_BS)

    def with_profile(
        self,
        made: Tensor,
        users_B: Tensor | None,
        values: Sequence[tuple[Tensor, Tensor]] | None = None,
    ) -> Tensor:
        """What is made of the clicks, with what is known of the users."""
        if self.profile is None:
            return made
        return self.profile(made, self.profile.known(users_B) if values is None else values)

    def encode_tokens(self, tokens_BSL: Tensor, mask_BSL: Tensor) -> Tensor:
        """The tokens of histories int[B, S, L], Bool[B, S, L] -> [B, D]."""
        embed = self.tokens if self.words is None else self.words
        return self.flatten(embed(tokens_BSL), mask_BSL)

    def score(
        self,
        users: Tensor,
        items_PD: Tensor,
        owner_P: Tensor,
        mask_BS: Tensor | None = None,
        context_Pn: Tensor | None = None,
        items_mask: Tensor | None = None,
    ) -> Tensor:
        """Users as `encode_users` gives them, candidates [P, D], owners int[P] -> logits [P]. Where
        the users are prefixes candidates are tokens int[P, T], with their mask Bool[P, T].

        `owner_P` are rows of the users; `mask_BS` is that of the clicks where the users are
        clicks; `context_Pn` are the numbers of the pairs' moments where the model reads them.
        """
        if items_mask is not None:
            scores_P = self.answer(users, mask_BS, owner_P, items_PD, items_mask)
        else:
            scores_P = self.match(users, items_PD, owner_P, mask_BS)
        return self.finish(scores_P, context_Pn)

    def finish(self, scores_P: Tensor, context_Pn: Tensor | None = None) -> Tensor:
        """What follows the predictor: the prior of the moment, and calibration."""
        if self.prior is not None:
            if context_Pn is None:
                raise TypeError("the model reads the context of a pair")
            scores_P = scores_P + self.prior(context_Pn)
        return scores_P if self.calibration is None else self.calibration(scores_P)

    def answer(
        self, users: Tensor, mask_BN: Tensor | None, owner_P: Tensor, ids_PT: Tensor,
        ended_PT: Tensor,
    ) -> Tensor:  # fmt: skip
        """What the predictor makes of prefixes and of the tokens that end them, [P]."""
        states_PTD = self.flatten.follow(users, mask_BN, owner_P, ids_PT, ended_PT)
        return self.predict(states_PTD, ended_PT)

    def match(
        self, users: Tensor, items_PD: Tensor, owner_P: Tensor, mask_BS: Tensor | None = None
    ) -> Tensor:
        """What the predictor makes of users and candidates, [P]: `score` before the prior."""
        if self.reads_clicks and mask_BS is None:
            raise TypeError("the users are clicks: their mask is needed")
        # What reads each user once, where rows of pairs would hold the same again and again.
        together = getattr(self.predict, "score_users", None)
        if together is not None:
            return together(users, mask_BS, items_PD, owner_P)
        rows = users.index_select(0, owner_P)
        if mask_BS is None or not self.reads_clicks:
            return self.predict(rows, items_PD)
        return self.predict(rows, mask_BS.index_select(0, owner_P), items_PD)

    def forward(self, batch: Batch | TensorBatch) -> Scored:
        """The logits [B, K] of a training batch, and the losses beside them; each distinct item is
        encoded once."""
        if isinstance(batch, Batch):
            batch = to_tensors(batch, self.device)
        if self.prompt is not None and self.prompt.joined:
            return Scored(self.score_texts(batch), {})
        if self.flatten is not None:
            return Scored(self.score_tokens(batch), {})
        vectors_ND = self.encode_distinct(batch.buckets)
        clicks_BSD = vectors_ND.index_select(0, batch.clicks.flatten().long())
        clicks_BSD = clicks_BSD.unflatten(0, batch.clicks.shape)
        items_PD = vectors_ND.index_select(0, batch.candidates.flatten().long())
        mask_BS = batch.mask
        users_B = batch.users if self.reads_user else None
        made = self.encode_clicks(clicks_BSD, mask_BS, users_B)
        size, candidates = batch.candidates.shape
        owner_P = torch.arange(size, device=items_PD.device).repeat_interleave(candidates)
        users = self.with_profile(made, users_B)
        context_Pn = flat_context(batch)
        scores_P = self.score(users, items_PD, owner_P, mask_BS, context_Pn)
        return Scored(scores_P.reshape(size, candidates), self.own_losses(made))

    def own_losses(self, made: Tensor) -> Mapping[str, Tensor]:
        """What the predictor asks of what the clicks make of the users: MINER's disagreement."""
        losses = getattr(self.predict, "losses", None)
        return {} if losses is None else losses(made)

    def score_tokens(self, batch: TensorBatch) -> Tensor:
        """The logits [B, K] of a batch in one bucket: tokens are gathered for the clicks, vectors
        for the candidates, of which each distinct one is encoded once."""
        (bucket,) = batch.buckets
        tokens_NL, mask_NL = with_empty(bucket["tokens"]), with_empty(bucket["tokens_mask"])
        made = self.read_clicks(tokens_NL, mask_NL, batch.clicks)
        users = self.with_profile(made, batch.users)
        chosen, place_P = torch.unique(batch.candidates.flatten(), return_inverse=True)
        vectors = self.encode_items({n: with_empty(given)[chosen] for n, given in bucket.items()})
        size, candidates = batch.candidates.shape
        owner_P = torch.arange(size, device=users.device).repeat_interleave(candidates)
        scores_P = self.score(users, vectors[place_P], owner_P, None, flat_context(batch))
        return scores_P.reshape(size, candidates)

    def read_clicks(self, tokens_NL: Tensor, mask_NL: Tensor, clicks_BS: Tensor) -> Tensor:
        """What the flatten operator makes of histories of items, given by their tokens."""
        if self.prompt is None:
            return self.encode_tokens(tokens_NL[clicks_BS], mask_NL[clicks_BS])
        return self.flatten(*user_texts(self.prompt, tokens_NL, mask_NL, clicks_BS))

    def score_texts(self, batch: TensorBatch) -> Tensor:
        """The logits [B, K] of a batch in one bucket, each pair read at once as one text."""
        assert self.prompt is not None
        (bucket,) = batch.buckets
        tokens_NL, mask_NL = with_empty(bucket["tokens"]), with_empty(bucket["tokens_mask"])
        ids_PN, mask_PN = pair_texts(self.prompt, tokens_NL, mask_NL, batch)
        scores_P = self.score_whole(ids_PN, mask_PN, flat_context(batch))
        return scores_P.reshape(batch.candidates.shape)

    def score_whole(
        self, ids_PN: Tensor, mask_PN: Tensor, context_Pn: Tensor | None = None
    ) -> Tensor:
        """Whole texts of pairs int[P, N], Bool[P, N] -> logits [P]."""
        return self.finish(self.predict(*self.flatten.whole(ids_PN, mask_PN)), context_Pn)

    def encode_distinct(self, buckets: Sequence[Mapping[str, Tensor]]) -> Tensor:
        """The vectors of a batch's distinct items below a row of zeros: [1 + U, D]."""
        vectors = [self.encode_items(bucket) for bucket in buckets]
        like = vectors[0] if vectors else torch.empty(0, device=self.device)
        return torch.cat([like.new_zeros(1, self.width), *vectors])


def flat_context(batch: TensorBatch) -> Tensor | None:
    """The context of a batch [B, K, n] by pair, [B * K, n]."""
    return None if batch.context is None else batch.context.flatten(0, 1)


def with_empty(given: Tensor) -> Tensor:
    """The inputs of distinct items [U, ...] below those of the padding item: [1 + U, ...]."""
    return torch.cat([given.new_zeros(1, *given.shape[1:]), given])
