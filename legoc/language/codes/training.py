"""Codes of training at run time: E0550 and on."""

from legoc.language.codes import Code


CODES: tuple[Code, ...] = (
    Code(
        code="E0550",
        title="the loss has left all bounds",
        explanation=(
            "A step of training gave a loss that is infinite, not a number, or ten thousand times "
            "that of the untrained model. From there on every weight would be lost, so training "
            "stops and the last saved state stays as it was. Most often the learning rate is too "
            "high, or nothing limits the gradient. A loss that is only twice that of the untrained "
            "model in the best epoch is said at the end."
        ),
        bad="train base { lr = 10 }",
        good="train base { lr = 1e-3  clip = 1.0 }",
    ),
    Code(
        code="E0551",
        title="nothing to train on",
        explanation=(
            "The training part of the data has no row the task can use: matching needs clicks, "
            "ranking needs labelled rows."
        ),
        bad="data mine { source = Tables(\"folder\")  split = time(valid=50%, test=50%) }",
        good="data mine { source = Tables(\"folder\")  split = time(valid=10%, test=10%) }",
    ),
    Code(
        code="E0552",
        title="the monitor has no value",
        explanation=(
            "Early stopping compares epochs by the monitor on the validation part, and there it is "
            "undefined, for example because every group has only clicks or only non-clicks. Labels "
            "and groups alone decide that, so training does not begin."
        ),
        bad="train base { metrics = [GAUC]  monitor = GAUC }",
        good="train base { metrics = [AUC]  monitor = AUC }",
    ),
    Code(
        code="E0553",
        title="another process is training in this folder",
        explanation=(
            "The same spec, data and seed always land in the same run folder, and two processes "
            "that wrote to it would spoil each other's state."
        ),
        bad="legoc train a.lego & legoc train a.lego",
        good="legoc train a.lego",
    ),
    Code(
        code="E0554",
        title="the state to resume from does not fit",
        explanation=(
            "The folder holds a state of an interrupted training that is damaged or belongs to "
            "another model, so training cannot go on from it."
        ),
        bad="legoc train a.lego",
        good="legoc train a.lego --again",
    ),
    Code(
        code="E0555",
        title="the device is not there",
        explanation="Training was asked to run on a device that this machine does not offer.",
        bad="legoc train a.lego --device cuda",
        good="legoc train a.lego --device cpu",
    ),
    Code(
        code="E0556",
        title="nothing to calibrate on",
        explanation=(
            "`calibrate = true` fits a temperature and a bias on the labels of the validation "
            "part, so there has to be one, with clicks and non-clicks. Its labels are looked at "
            "before training begins."
        ),
        bad="""data demo { source = Demo  split = time(valid=0%, test=10%) }
train base { calibrate = true }
model m = content CNN -> behavior Additive -> predict Dot
run m on demo with base""",
        good="""data demo { source = Demo  split = time(valid=10%, test=10%) }
train base { calibrate = true }
model m = content CNN -> behavior Additive -> predict Dot
run m on demo with base""",
    ),
    Code(
        code="E0560",
        title="not a run folder",
        explanation=(
            "A run folder holds `spec.json`, `log.jsonl` and `best.safetensors`, as `legoc train` "
            "writes them. One of these is missing or cannot be read, for it is damaged or another "
            "version wrote it."
        ),
        bad="legoc export somewhere/",
        good="legoc export runs/naml-0123456789ab/",
    ),
    Code(
        code="E0561",
        title="the weights of a run do not fit",
        explanation=(
            "The stored weights have other shapes than the model of the spec on this data: the "
            "tables of items, users or words have another number of rows, or the file is damaged. "
            "Or another version trained them, and an operator of the model has changed since."
        ),
        bad="legoc eval runs/naml-0123456789ab/",
        good="legoc train naml.lego --again",
    ),
    Code(
        code="E0562",
        title="a folder is full or closed",
        explanation=(
            "Prepared data and frozen states are kept in a cache folder, runs below `runs/`. The "
            "disk of one of them is full, or what the message names may not be made, read or "
            "written."
        ),
        bad="legoc train naml.lego --cache /read-only/folder",
        good="legoc train naml.lego --cache /large/disk/legoc",
    ),
    Code(
        code="E0567",
        title="no work for several processes",
        explanation=(
            "`torchrun -m legoc train` trains every run of a file by several processes together, "
            "which share each batch. Other commands, and the settings that start processes of "
            "their own or name one device, are for one process."
        ),
        bad="torchrun --nproc-per-node 2 -m legoc train naml.lego --jobs 4",
        good="torchrun --nproc-per-node 2 -m legoc train naml.lego",
    ),
    Code(
        code="E0568",
        title="another process of the training is gone",
        explanation=(
            "Several processes train a model together, and one of them has ended, cannot be "
            "reached, or has been silent for ten minutes. No update is half made: what was saved "
            "last is whole, and the same command goes on from there, also with another number of "
            "processes."
        ),
        bad="kill -9 1234    # one of those that `torchrun` has started",
        good="torchrun --nproc-per-node 2 -m legoc train naml.lego    # once more",
    ),
    Code(
        code="E0569",
        title="processes that would train different models",
        explanation=(
            "Processes that train a model together have to read the same spec, the same data and "
            "the same files of a language model, with the same versions, for each computes with "
            "its own copy. They are compared before anything trains."
        ),
        bad="torchrun --nnodes 2 -m legoc train naml.lego    # and another file on one machine",
        good="torchrun --nnodes 2 -m legoc train /shared/naml.lego --cache /shared/cache",
    ),
    Code(
        code="E0576",
        title="memory that will not last",
        explanation=(
            "Before a training begins its memory is estimated: weights with gradients and moments, "
            "the data, and what a batch keeps for the way back. Where that is one and a half times "
            "what is free, it would be killed hours later, so it does not begin; where it is a "
            "little more, a warning says so. The message names the part that takes most."
        ),
        bad="train base { batch = 65536 }",
        good="train base { batch = 1024  accumulate = 64 }",
    ),
    Code(
        code="E0580",
        title="a worker ended before its run",
        explanation=(
            "With `--jobs` runs train in processes of their own. One of these was ended from "
            "outside, most often because memory ran out. The other runs go on; this one resumes "
            "from what it has saved when the command is given again. With `--engine ray` another "
            "worker goes on at once, and this is told of a run that has lost several."
        ),
        bad="legoc train sweep.lego --jobs 8",
        good="legoc train sweep.lego --jobs 4",
    ),
    Code(
        code="E0581",
        title="a replay on other data",
        explanation=(
            "`legoc replay` makes a row of a table again, so the data has to be what the run was "
            "trained on. The digest of what lies there is compared before anything trains: a file "
            "has changed, or is another one of the same name."
        ),
        bad="legoc replay runs/naml-0123456789ab/bundle",
        good="legoc replay runs/naml-0123456789ab/bundle --data /archive/2024",
    ),
    Code(
        code="E0582",
        title="a replay in the place of the run",
        explanation=(
            "The new run of a replay has the name of the old one, and would lie where that one "
            "lies. Nothing of the old run is changed."
        ),
        bad="legoc replay runs/naml-0123456789ab --runs runs",
        good="legoc replay runs/naml-0123456789ab --runs again",
    ),
    Code(
        code="E0583",
        title="an unknown tracker",
        explanation=(
            "`--track` names who else is told how a training goes: `tensorboard`, or what other "
            "packages offer as entry points of the group `legoc.trackers`. No package that is "
            "installed offers one of this name."
        ),
        bad="legoc train naml.lego --track tensorbord",
        good="legoc train naml.lego --track tensorboard",
    ),
    Code(
        code="E0584",
        title="a tracker that does not start",
        explanation=(
            "The tracker is known, but its module cannot be imported or its class not be made; "
            "most often a package that it needs is not installed. Once a training runs, a tracker "
            "that fails is a warning and no more."
        ),
        bad="legoc train naml.lego --track tensorboard    # after `pip install legoc`",
        good="pip install 'legoc[tensorboard]'",
    ),
    Code(
        code="E0563",
        title="Ray is not installed",
        explanation=(
            "`--engine ray` hands runs to Ray, which comes with the extra `ray`. On one machine "
            "`--jobs` trains several runs at a time without it."
        ),
        bad="legoc train sweep.lego --engine ray    # after `pip install legoc`",
        good="pip install 'legoc[ray]'",
    ),
    Code(
        code="E0564",
        title="no Ray at the address",
        explanation=(
            "`--address`, or RAY_ADDRESS, names the Ray that trains the runs: `auto` for the one "
            "of this machine, else host and port of its head. It has to be reached from here, "
            "with the same versions of Ray and Python, and the command runs on a machine of the "
            "cluster (`ray://` comes from outside). Only `--engine ray` uses an address. Without "
            "one, Ray starts on this machine and ends with the command."
        ),
        bad="legoc train sweep.lego --engine ray --address ray://10.0.0.1:10001",
        good="legoc train sweep.lego --engine ray --address 10.0.0.1:6379",
    ),
    Code(
        code="E0565",
        title="a machine that does not see the folders",
        explanation=(
            "Run folders and prepared data lie in folders that all machines of a cluster share, "
            "under the same path, and all of them have the same legoc. Before anything trains, a "
            "file is written into each folder and looked for from every machine, and one from "
            "there is looked for here."
        ),
        bad="legoc train sweep.lego --engine ray --address auto --runs /tmp/runs",
        good="legoc train sweep.lego --engine ray --address auto --runs /shared/runs "
        "--cache /shared/cache",
    ),
    Code(
        code="E0566",
        title="a run that fits no machine",
        explanation=(
            "Ray sets aside for each run a CPU for each of its threads and, on `cuda`, a GPU, "
            "which Ray chooses. No machine of the cluster has that, so the run would wait for "
            "ever."
        ),
        bad="legoc train sweep.lego --engine ray --address auto --threads 512",
        good="legoc train sweep.lego --engine ray --address auto --threads 8",
    ),
)  # fmt: skip
