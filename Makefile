# A list of the commands of tools/dev.sh; each does all the set-up that it needs.
#
#   make demo                                 the whole thing, with packaged photographs
#   make run IMAGE_TOPIC=/camera/image_raw    the node on a camera of your own
#   make test                                 all tests;  ARGS='-k quantization -x' goes to pytest
#   make bench                                the default training against its rivals
#   make bench-teach                          teaching from files against a bare loop
#   make bench-node                           the node against a bare loop;  ARGS=--quick tries it
#   make lock                                 renew the versions and hashes in requirements/locked
#
# Where a ROS 2 is sourced it is used, elsewhere ROS 2 Jazzy from PyPI; ROS=kilted takes the
# Kilted of PyPI, in folders of its own.  PYTHON=python3.12 chooses another Python.

ROS ?=
ARGS ?=
IMAGE_TOPIC ?=
export PYTHON

dev := tools/dev.sh $(if $(ROS),--ros $(ROS))

.PHONY: help setup build test lint lock demo bench bench-teach bench-node run clean

help:
	@tools/dev.sh help

setup build lint lock clean:
	@$(dev) $@

test demo bench bench-teach bench-node:
	@$(dev) $@ $(ARGS)

run:
	@$(dev) run '$(IMAGE_TOPIC)' $(ARGS)
