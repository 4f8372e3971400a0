# tf_style on the processor; docs/install.md says how to build and use it.
FROM python:3.12-slim

WORKDIR /source
COPY setup.py pyproject.toml README.md LICENSE NOTICE ./
COPY flags flags
COPY tf_style tf_style
RUN pip install --no-cache-dir .

# Downloaded weights and learned features stay here, whoever the user is.
ENV KERAS_HOME=/cache/keras XDG_CACHE_HOME=/cache MPLCONFIGDIR=/cache/matplotlib
RUN mkdir -m 777 /cache
VOLUME /cache

USER 1000
WORKDIR /pictures
ENTRYPOINT ["tf_style"]
