# One image for all of the site's processes; docker-compose.yml says which runs what.
FROM python:3.11.11-slim-bookworm AS packages
RUN python -m venv /opt/carbonsite
COPY requirements.txt requirements-s3.txt ./
RUN /opt/carbonsite/bin/pip install --no-cache-dir --require-hashes \
    -r requirements.txt -r requirements-s3.txt

FROM python:3.11.11-slim-bookworm AS front-end
WORKDIR /site
COPY package.json package-lock.json requirements-node.txt ./
COPY carbonsite/vendor.py carbonsite/
# In an environment of its own: Node.js is not part of the image.
RUN python -m venv /opt/node && /opt/node/bin/python -P carbonsite/vendor.py

FROM python:3.11.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /data carbonsite \
    && install -d -o carbonsite -g carbonsite /data
WORKDIR /site
ENV PATH=/opt/carbonsite/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    ORT_DISABLE_TELEMETRY=1 \
    CARBONSITE_DATA=/data
COPY --from=packages /opt/carbonsite /opt/carbonsite
COPY . .
COPY --from=front-end /site/static/vendor static/vendor
USER carbonsite
VOLUME /data
EXPOSE 8000
# Asks under the site's own name: Django refuses any other.
HEALTHCHECK --interval=10s --timeout=4s --start-period=20s CMD ["python", "-c", "\
import os, urllib.request as web; \
name = os.environ.get('ALLOWED_HOSTS', '').split(',')[0].lstrip('.*') or 'localhost'; \
web.urlopen(web.Request('http://127.0.0.1:8000/healthz', headers={'Host': name}), timeout=3)"]
CMD ["gunicorn", "--config=python:carbonsite.gunicorn", "--bind=0.0.0.0:8000"]
