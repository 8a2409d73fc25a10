"""The page of a comparison: the picker, the table, the chart's twin, the files, who may see it."""

import re

import pytest

from benchmarks.models import OnnxModel
from tests.people import a_done_run, a_model, a_ready_version, stranger

pytestmark = pytest.mark.django_db


@pytest.fixture
def versions():
    model = a_model(name="LeNet-5")
    return [
        a_ready_version(onnx_model=model, size_bytes=1000 * number, accuracy_ratio=number / 10)
        for number in range(1, 4)
    ]


def address(*versions, more=""):
    return "/compare/?" + "&".join(f"v={version.pk}" for version in versions) + more


def test_who_is_better_stands_on_top_and_the_best_is_marked_in_words(signed_in, versions):
    for number, version in enumerate(versions, 1):
        a_done_run(version, mean_s=0.001 * number)

    page = signed_in.get(address(*versions)).text

    assert 'id="summary">v1 is better on size on disk, latency and CO₂ per inference' in page
    size_row = page.split('id="row-size_bytes"')[1].split("</tr>")[0]
    assert size_row.count(">best<") == 1
    assert "2×" in size_row
    assert "1\N{NO-BREAK SPACE}kB" in size_row or "1 kB" in size_row


def test_versions_of_one_model_are_compared_under_its_name(signed_in, versions):
    other = a_ready_version(onnx_model=a_model(name="Other"))

    of_one = signed_in.get(address(*versions[:2])).text
    of_two = signed_in.get(address(versions[0], other)).text

    assert "<h1>LeNet-5: v1" in of_one
    assert "<h1>LeNet-5 v1" in of_two


def test_what_differs_between_the_runs_is_said_above_the_table(signed_in, versions):
    a_done_run(versions[0])
    a_done_run(versions[1], batch_size=4)

    page = signed_in.get(address(*versions[:2])).text

    assert "Not the same conditions" in page
    assert "batch size" in page.split('id="environment"')[1]


def test_the_same_conditions_are_said_too(signed_in, versions):
    a_done_run(versions[0])
    a_done_run(versions[1])

    page = signed_in.get(address(*versions[:2])).text

    assert "Not the same conditions" not in page
    assert "Nothing: the same machine" in page


def test_the_permalink_shows_the_same_runs_after_the_next_run(signed_in, versions):
    a_done_run(versions[0], mean_s=0.003)
    a_done_run(versions[1], mean_s=0.002)
    page = signed_in.get(address(*versions[:2])).text
    link = re.search(r'id="permalink"[^>]*value="([^"]+)"', page)[1].replace("&amp;", "&")
    a_done_run(versions[0], mean_s=0.001)

    later = signed_in.get(link.removeprefix("http://testserver")).text

    assert "v2 is better on latency" in later
    assert "latency and" in signed_in.get(address(*versions[:2])).text


def test_fewer_than_two_with_an_accuracy_get_an_honest_sentence(signed_in):
    model = a_model()
    pair = [a_ready_version(onnx_model=model), a_ready_version(onnx_model=model)]

    page = signed_in.get(address(*pair)).text

    assert "There is nothing to draw: none of them has both an accuracy and a finished run" in page
    assert "pareto-chart" not in page


def test_the_chart_has_a_table_with_the_efficient_ones_marked(signed_in, versions):
    for mean_s, version in zip((0.001, 0.003, 0.002), versions, strict=True):
        a_done_run(version, mean_s=mean_s)

    page = signed_in.get(address(*versions, more="&cost=emission")).text
    table = page.split('id="pareto"')[1].split("</table>")[0]

    assert "pareto-chart" in table
    assert "CO₂ per inference" in table
    assert table.count("none is better in both") == 2


@pytest.mark.parametrize("count, says", [(0, "Choose two to 6"), (1, "nothing beside it yet")])
def test_with_too_few_one_picks_among_ones_own(signed_in, versions, count, says):
    page = signed_in.get(address(*versions[:count])).text

    assert says in page
    assert page.count('type="checkbox"') == 3
    assert page.count("checked") == count


def test_more_than_six_are_asked_to_be_fewer(signed_in, versions):
    more = [a_ready_version(onnx_model=versions[0].onnx_model) for _ in range(4)]

    page = signed_in.get(address(*versions, *more)).text

    assert "More than 6 versions" in page
    assert page.count("checked") == 7


def test_the_search_keeps_what_is_ticked(signed_in, versions):
    other = a_ready_version(onnx_model=a_model(name="ResNet"))

    page = signed_in.get(address(versions[0], more="&q=resnet&pick=1")).text

    assert f'value="{other.pk}"' in page
    assert f'value="{versions[0].pk}" checked' in page
    assert f'value="{versions[1].pk}"' not in page


def test_a_search_that_finds_nothing_says_so(signed_in, versions):
    assert "Nothing is called “Atlantis" in signed_in.get("/compare/?q=Atlantis").text


def test_public_versions_are_offered_to_all_and_private_ones_to_nobody_else(client, versions):
    client.force_login(stranger())
    hidden = client.get("/compare/").text
    OnnxModel.objects.update(visibility="public")
    shown = client.get("/compare/").text
    client.logout()

    assert "checkbox" not in hidden
    assert shown.count("checkbox") == 3
    assert client.get("/compare/").text.count("checkbox") == 3
    assert client.get(address(*versions)).status_code == 200


def test_what_one_may_not_see_is_not_there(client, versions):
    client.force_login(stranger())

    assert client.get(address(*versions)).status_code == 404
    assert client.get("/compare.csv?" + address(*versions).split("?")[1]).status_code == 404


def test_a_run_one_may_not_see_is_not_there(client, versions):
    run = a_done_run(versions[0])
    mine = a_model(stranger())
    pair = [a_ready_version(onnx_model=mine), a_ready_version(onnx_model=mine)]
    client.force_login(stranger())

    assert client.get(address(*pair, more=f"&run={run.pk}")).status_code == 404
    assert client.get(address(*pair, more=f"&env={run.pk}&env={run.pk}")).status_code == 404


@pytest.mark.parametrize("query", ["v=1", "model=x", "v=../etc"])
def test_nonsense_in_the_address_is_not_found(signed_in, query):
    assert signed_in.get(f"/compare/?{query}").status_code == 404


def test_any_two_runs_lie_side_by_side(signed_in, versions):
    first, _ = a_done_run(versions[0]), a_done_run(versions[1])
    third = a_done_run(versions[2], intra_op_threads=2)

    page = signed_in.get(address(*versions, more=f"&env={first.pk}&env={third.pk}")).text

    assert "threads" in page.split('id="environment"')[1]


def test_without_being_asked_the_first_pair_that_differs_is_shown(signed_in, versions):
    a_done_run(versions[0])
    a_done_run(versions[1])
    a_done_run(versions[2], intra_op_threads=2)

    page = signed_in.get(address(*versions)).text.split('id="environment"')[1]

    assert "threads" in page
    assert "Nothing: the same machine" not in page


def test_a_best_inside_the_noise_is_not_announced_as_the_best(signed_in, versions):
    a_done_run(versions[0], mean_s=0.00101)
    a_done_run(versions[1], mean_s=0.001)

    page = signed_in.get(address(*versions[:2])).text
    row = page.split('id="row-latency_s"')[1].split("</tr>")[0]

    assert "inside the noise" in row
    assert "best, or level" in row


def test_the_model_page_and_the_list_lead_here(signed_in, versions):
    model_page = signed_in.get(f"/models/{versions[0].onnx_model_id}/").text

    assert f"/compare/?v={versions[2].pk}&amp;v={versions[1].pk}" in model_page
    assert 'href="/compare/"' in signed_in.get("/models/").text


def test_it_asks_the_database_a_known_number_of_times(
    signed_in, versions, django_assert_num_queries
):
    for version in versions:
        a_done_run(version)
        a_done_run(version)

    # Session, user, versions; recent runs per version; the runs that speak, their estimates.
    with django_assert_num_queries(3 + 3 + 2):
        signed_in.get(address(*versions))
    with django_assert_num_queries(3 + 2 + 2):
        signed_in.get(address(*versions[:2]))
    # Session, user, versions to pick from.
    with django_assert_num_queries(3):
        signed_in.get("/compare/")
