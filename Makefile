# A list of the commands of tools/dev.sh; each does all the set-up that it needs.
#
#   make demo                                 the whole thing, with packaged photographs
#   make fleet-demo                           three robots: one is taught, all learn; their status, live
#   make teach                                the page to teach on, with packaged photographs
#   make teach CAMERA=0                       with a webcam, or a video file: CAMERA=video.mp4
#   make teach IMAGE_TOPIC=/camera/image_raw ARGS=--lan   with a camera of your own; phones may enter
#   make run IMAGE_TOPIC=/camera/image_raw    the node on a camera of your own
#   make test                                 all tests, and how many branches they take
#   make test ARGS='-k quantization -x'       some of them: ARGS goes to pytest
#   make colcon-test ARGS=test/learning       tests (without ARGS all) by colcon in a workspace
#   make test VERSIONS=jammy                  with the libraries of Ubuntu 22.04 (noble: 24.04)
#   make bench                                the default training against its rivals
#   make bench-teach                          teaching from files against a bare loop
#   make bench-node                           the node against a bare loop;  ARGS=--quick tries it
#   make bench-page                           the teaching page in a browser
#   make bench-fleet                          how soon a fleet has what one robot was taught
#   make fuzz SECONDS=60                      every parser of outside bytes, so long each
#   make soak MINUTES=10 SAMPLES=200          everything at once for minutes: what does the node hold?
#   make lock                                 renew the versions and hashes in requirements/locked;
#                                             ARGS=--add only adds what is missing
#
# Where a ROS 2 is sourced it is used, elsewhere ROS 2 Jazzy from PyPI; ROS=kilted takes the
# Kilted of PyPI, in folders of its own.  PYTHON=python3.12 chooses another Python.

ROS ?=
VERSIONS ?=
ARGS ?=
CAMERA ?=
IMAGE_TOPIC ?=
SECONDS ?= 60
MINUTES ?= 10
SAMPLES ?= 200
export PYTHON

dev := tools/dev.sh $(if $(ROS),--ros $(ROS))$(if $(VERSIONS), --versions $(VERSIONS))

.PHONY: help setup build test colcon-test lint lock demo fleet-demo teach bench bench-teach bench-node bench-page bench-fleet fuzz soak run clean

help:
	@tools/dev.sh help

setup build lint clean:
	@$(dev) $@

test colcon-test demo fleet-demo bench bench-teach bench-node bench-page bench-fleet lock:
	@$(dev) $@ $(ARGS)

fuzz:
	@$(dev) fuzz --seconds '$(SECONDS)' $(ARGS)

soak:
	@$(dev) soak --minutes $(MINUTES) --samples $(SAMPLES) $(ARGS)

run:
	@$(dev) run '$(IMAGE_TOPIC)' $(ARGS)

teach:
	@$(dev) teach $(if $(CAMERA),--camera '$(CAMERA)') $(if $(IMAGE_TOPIC),--image-topic '$(IMAGE_TOPIC)') $(ARGS)
